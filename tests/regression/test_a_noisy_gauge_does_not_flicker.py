# SPDX-License-Identifier: Apache-2.0
"""A gauge with a noise of 4 % around a threshold changed the mode 55 times an hour, in spite of hysteresis and dwell:
one reading over the hysteresis once a minute was enough to go brighter.
"""

import ctypes
import random

import pytest

from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier
from dimmer.pipeline.energy.policy import Battery, State, policy_next_function

HOURS, MOST_AN_HOUR = 20, 4


@pytest.mark.parametrize("period_s", [1, 10, 60])
def test_so_few_changes_an_hour(period_s: int) -> None:
    packed = PolicyConfig((Tier(500, 0, 0), Tier(0, 0, 1)), dwell_s=60, hysteresis_permille=30).pack(2)
    state, last, changes, noise = State(), 0, 0, random.Random(period_s)
    with policy_next_function() as next_state:
        for now in range(0, HOURS * 3600, period_s):
            permille = 500 + noise.randint(-40, 40)
            state = next_state(packed, state, ctypes.byref(Battery(now, 0, permille, 3000)))
            changes += int(state.tier != last)
            last = state.tier
    assert changes <= MOST_AN_HOUR * HOURS
