# SPDX-License-Identifier: Apache-2.0
"""[latency] of target.toml: how long the core's multiplications, loads and stores take."""

from __future__ import annotations

from dataclasses import replace

from dimmer.firmware_gen.variants import features_of
from dimmer.firmware_gen.variants.latency import FITTED, KEYS, Latency, latency_keys
from dimmer.targets.kit.schema import Table

MOST = {"multiply": 64, "multiply_high": 64, "multiply_add_long": 7, "load_store": 16}
"""Cycles that a key may say at most."""


def latency_of(table: Table | None, core: str, long_elsewhere: int | None = None) -> Latency:
    """What [latency] says of a core.

    Args:
        core: as the compiler calls it.
        long_elsewhere: `multiply_add_long` as [timing] has it, where it stood before there was this table.

    Raises:
        TargetError: a key is unknown, out of its bounds, said twice, or nothing that the core's kernels depend on.
    """
    own = FITTED if long_elsewhere is None else replace(FITTED, multiply_add_long=long_elsewhere)
    if table is None:
        return own
    possible = latency_keys(features_of(core))
    for key in KEYS:
        value = table.optional_natural(key, MOST[key])
        if value is None:
            continue
        if key not in possible:
            known = f"give it {', '.join(possible)}" if possible else "leave [latency] away"
            raise table.fail(f"'{key}' has no effect on {core}, whose kernels do not depend on it: {known}", key)
        if value == 0:
            raise table.fail(f"'{key}' is 0: give it at least 1", key)
        if key == "multiply_add_long" and long_elsewhere is not None:
            raise table.fail(f"'{key}' stands in [timing] as well: take it away there", key)
        own = replace(own, **{key: value})
    table.finish()
    return own
