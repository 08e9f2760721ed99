# SPDX-License-Identifier: Apache-2.0
"""One reading of 0 at a charge of 90 % dimmed the device for a minute, and one of 65535 counted as full."""

import ctypes
from collections.abc import Sequence

from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier
from dimmer.pipeline.energy.policy import Battery, State, policy_next_function

PACKED = PolicyConfig((Tier(500, 0, 0), Tier(0, 0, 1)), dwell_s=60, hysteresis_permille=30).pack(2)


def tiers_of(charges: Sequence[int]) -> list[int]:
    state, tiers = State(), []
    with policy_next_function() as next_state:
        for number, permille in enumerate(charges):
            state = next_state(PACKED, state, ctypes.byref(Battery(10 * number, 0, permille, 3000)))
            tiers.append(int(state.tier))
    return tiers


def test_a_reading_of_nothing_is_no_empty_battery() -> None:
    assert tiers_of([900, 0, 900, 0, 0, 0, 0, 900]) == [0] * 8


def test_a_reading_of_65535_is_no_full_battery() -> None:
    assert tiers_of([300, *[65535] * 20]) == [1] * 21
    assert tiers_of([65535, 65535]) == [1, 1]


def test_a_jump_is_believed_the_third_time() -> None:
    assert tiers_of([900, 200, 200, 200]) == [0, 0, 0, 1]
    assert tiers_of([900, 200, 890, 200, 880]) == [0] * 5


def test_an_empty_battery_is_empty() -> None:
    assert tiers_of([900, 800, 700, 600, 520, 440, 40, 40, 40, 0]) == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
