# SPDX-License-Identifier: Apache-2.0
"""Positions and boundaries of a mode."""

from __future__ import annotations

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.sites import boundaries, owner_of_range, positions


def test_a_skipped_block_repeats_the_boundary_before_it() -> None:
    mode = Mode.parse("80.840")
    assert [position.name for position in positions(mode)] == ["stem", "0.0", "0.1", "1.0", "1.1", "1.2", "head"]
    assert boundaries(mode) == ("stem", "0.0.out", "0.0.out", "1.0.out", "1.1.out", "1.1.out")


def test_what_only_pooling_separates_has_one_range() -> None:
    assert [owner_of_range(site) for site in ("stem/conv", "stem", "0.1.out")] == ["stem", "stem", "0.1.out"]
