# SPDX-License-Identifier: Apache-2.0
"""What hangs on a battery."""

from dimmer.pipeline.energy.device import Device


def test_energy_and_power_have_the_units_that_they_name() -> None:
    device = Device(capacity_mah=100, millivolts=3000, period_s=2.0, idle_uw=10)
    # 0.1 Ah x 3600 s x 3 V = 1080 J.
    assert device.energy_uj == 1080e6
    assert device.power_uw(5000.0) == 2510.0


def test_it_is_told_in_one_line() -> None:
    assert str(Device()) == "220 mAh at 3 V, an inference every 1 s, 10 µW besides"
