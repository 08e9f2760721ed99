# SPDX-License-Identifier: Apache-2.0
"""Threshold and hysteresis of the charge were capped at 1000 permille, those of the voltage nowhere: a cell that is
full at 4.2 V never came back to a tier of 4.15 V with 0.1 V of hysteresis.
"""

import ctypes

import pytest

from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier
from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.energy.policy import Battery, State, policy_next_function
from dimmer.pipeline.recipe.sections.policy import PolicySection


@pytest.mark.parametrize(
    ("full_millivolts", "charge", "back"), [(4200, 65535, 0), (4200, 990, 0), (0, 1000, 0), (0, 990, 1)]
)
def test_the_voltage_s_hysteresis_ends_at_the_full_cell(full_millivolts: int, charge: int, back: int) -> None:
    tiers = (Tier(900, 4150, 0), Tier(0, 0, 1))
    packed = PolicyConfig(tiers, hysteresis_millivolts=100, full_millivolts=full_millivolts).pack(2)
    state = State()
    with policy_next_function() as next_state:
        for time_s, millivolts in ((0, 4000), (60, 4200)):
            state = next_state(packed, state, ctypes.byref(Battery(time_s, 0, charge, millivolts)))
    assert state.tier == back


def test_a_recipe_with_a_hysteresis_names_the_full_voltage() -> None:
    with pytest.raises(InvalidKeyError, match="full_millivolts must be given with hysteresis_millivolts"):
        PolicySection((500,), min_millivolts=(3300,), hysteresis_millivolts=50)
