# SPDX-License-Identifier: Apache-2.0
"""Options are values: equal ones are the same operator."""

from __future__ import annotations

from dimmer.firmware_gen.graph.options import Join, Lookup, Take


def test_equal_options_are_one() -> None:
    assert Take(((range(0, 4, 2), (0, None)),), 3) == Take(((range(0, 3, 2), (0, None)),), 3)
    assert len({Lookup("TANH"), Lookup("TANH"), Lookup("EXP"), Join((0, 4)), Join((0, 4))}) == 3
    assert Take(((range(4),),)) != Take(((range(4),),), 1)
