# SPDX-License-Identifier: Apache-2.0
"""The firmware's policy on this machine."""

import ctypes

from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier
from dimmer.pipeline.energy.policy import Battery, State, policy_next_function


def test_going_dimmer_is_immediate_and_going_brighter_needs_hysteresis_and_dwell() -> None:
    packed = PolicyConfig((Tier(500, 0, 0), Tier(0, 0, 1)), dwell_s=60, hysteresis_permille=50).pack(2)
    state, tiers = State(), []
    with policy_next_function() as next_state:
        for time_s, permille in ((0, 560), (10, 499), (20, 549), (100, 550), (159, 551), (160, 550)):
            state = next_state(packed, state, ctypes.byref(Battery(time_s, 0, permille, 3000)))
            tiers.append(state.tier)
    assert tiers == [0, 1, 1, 1, 1, 0]
