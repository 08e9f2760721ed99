# SPDX-License-Identifier: Apache-2.0
"""Fourth step of a calibration: which modes are published, which are dropped, and why."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dimmer.calibration.selection import Candidate, Verdict, limited, select
from dimmer.pipeline.modes.mode import Mode, NetworkCost
from dimmer.pipeline.subnets.accuracies import Quantised


def judge(
    modes: Sequence[Mode], quantised: Sequence[Quantised], cost: NetworkCost, kept: Collection[Mode], limit: int
) -> tuple[Verdict, ...]:
    """One verdict a mode, in the order given.

    Args:
        quantised: what was measured of each mode.
        cost: of the network, by which modes are compared.
        kept: published whatever their accuracy.
        limit: at most so many are published, but for those that are kept.
    """
    candidates = [
        Candidate(str(mode), mode.bit_operations(cost), found.measured.correct, found.measured.loss, mode in kept)
        for mode, found in zip(modes, quantised, strict=True)
    ]
    return tuple(limited(candidates, select(candidates), limit))
