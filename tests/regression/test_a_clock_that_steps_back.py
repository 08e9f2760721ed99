# SPDX-License-Identifier: Apache-2.0
"""A clock that stepped back made the dwell count as over: 2^32 seconds seemed to have passed. One that is set ahead
by years did as much.
"""

import ctypes

import pytest

from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier
from dimmer.pipeline.energy.policy import Battery, State, policy_next_function


@pytest.mark.parametrize("step", [-1, -3600, 40 * 31_557_600])
def test_no_time_passes(step: int) -> None:
    packed = PolicyConfig((Tier(500, 0, 0), Tier(0, 0, 1)), dwell_s=60).pack(2)
    state, tiers, now = State(), [], 1_000_000
    with policy_next_function() as next_state:
        for passed, permille in ((0, 450), (30, 520), (step, 520), (59, 520), (1, 520)):
            now += passed
            state = next_state(packed, state, ctypes.byref(Battery(now, 0, permille, 3000)))
            tiers.append(state.tier)
    assert tiers == [1, 1, 1, 1, 0]
