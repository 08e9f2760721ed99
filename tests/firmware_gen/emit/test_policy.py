# SPDX-License-Identifier: Apache-2.0
"""The battery policy as the tables hold it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier, even_policy
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.gates import MODE_GATED
from dimmer.firmware_gen.generate import generate
from tests.firmware_gen.modes import write_modes


def test_policies_are_checked(tmp_path: Path) -> None:
    modes = write_modes(tmp_path)
    with pytest.raises(FirmwareGenError, match="tier 0 selects mode 3 of 3"):
        generate(modes, tmp_path / "out", PolicyConfig((Tier(0, 0, 3),)))
    with pytest.raises(FirmwareGenError, match="9 tiers, at most 8"):
        generate(modes, tmp_path / "out", PolicyConfig((Tier(0, 0, 0),) * 9))
    with pytest.raises(FirmwareGenError, match="out of range"):
        generate(modes, tmp_path / "out", PolicyConfig((Tier(70000, 0, 0),)))
    with pytest.raises(FirmwareGenError, match="the safe mode is 3 of 3; name an existing one"):
        generate(modes, tmp_path / "out", PolicyConfig(safe_mode=3))


@pytest.mark.parametrize("count", [1, 2, 3, 8, 20])
def test_an_even_policy_goes_from_the_first_mode_to_the_last(count: int) -> None:
    tiers = even_policy(count).tiers
    assert len(tiers) == (0 if count == 1 else min(count, 8))
    if tiers:
        assert (tiers[0].mode, tiers[-1].mode, tiers[-1].min_charge_permille) == (0, count - 1, 0)
        thresholds = [tier.min_charge_permille for tier in tiers]
        assert thresholds == sorted(set(thresholds), reverse=True)


def test_a_policy_is_packed_with_room_for_all_tiers() -> None:
    policy = PolicyConfig((Tier(500, 3300, 0), Tier(0, 0, 1, 40)), 60, 20, 50, 4100, 600, 1000)
    head = struct.pack("<IHHHHHBB", 60, 20, 50, 4100, 600, 1000, 2, 1)
    tiers = struct.pack("<HHBBHHBB", 500, 3300, 0, 255, 0, 0, 1, 40)
    assert policy.pack(2) == head + tiers + bytes(6 * 6)
    assert len(PolicyConfig().pack(1)) == len(policy.pack(2))


def test_the_gated_mode_is_one_where_there_are_gates_alone() -> None:
    policy = PolicyConfig((Tier(0, 0, MODE_GATED),))
    assert MODE_GATED in policy.pack(3, gated=True)
    with pytest.raises(FirmwareGenError, match="tier 0 selects mode 255 of 3; name an existing one"):
        policy.pack(3)
