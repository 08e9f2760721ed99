# SPDX-License-Identifier: Apache-2.0
"""What hangs on a battery."""

from dataclasses import replace

from dimmer.pipeline.energy.device import Device, Inference


def test_energy_and_power_have_the_units_that_they_name() -> None:
    device = Device(capacity_mah=100, millivolts=3000, period_s=2.0, idle_uw=10)
    # 0.1 Ah x 3600 s x 3 V = 1080 J.
    assert device.energy_uj == 1080e6
    assert device.power_uw(Inference(5000.0, 1.5)) == 2510.0
    assert replace(device, beside_uj=100).power_uw(Inference(5000.0)) == 2560.0


def test_a_period_is_no_shorter_than_an_inference() -> None:
    device = Device(capacity_mah=100, millivolts=3000, period_s=2.0, idle_uw=10, beside_uj=1000)
    slow, quick = Inference(5000.0, 4.0), Inference(5000.0, 2.0)
    assert device.power_uw(slow) == 10 + 6000 / 4
    assert device.life_s(slow) == 1080e6 / 1510
    assert device.without_pause({"88": slow, "80": quick}) == (
        "88 takes longer than the period: it runs without a pause."
    )
    assert device.without_pause({"88": slow, "84": slow}).startswith("88, 84 take longer")
    assert device.without_pause({"80": quick}) == ""


def test_it_is_told_in_one_line() -> None:
    assert str(Device()) == "220 mAh at 3 V, an inference every 1 s, 10 µW besides"
    assert str(Device(period_s=2.0, beside_uj=5.0)).endswith("12.5 µW besides")
