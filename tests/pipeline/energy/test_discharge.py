"""A simulated battery empties at the rate of the modes that the firmware's own policy chooses."""

import pytest

from dimmer.pipeline.artifacts.firmware import PolicyTier
from dimmer.pipeline.energy.device import Device
from dimmer.pipeline.energy.discharge import discharge

DEVICE = Device(capacity_mah=100, millivolts=3000, period_s=1, idle_uw=0)


def tiers(*thresholds: tuple[str, int]) -> list[PolicyTier]:
    return [PolicyTier(mode, charge, 0, 30, 60) for mode, charge in thresholds]


def test_one_mode_lasts_as_long_as_energy_over_power() -> None:
    samples = discharge(tiers(("88.88", 0)), {"88.88": 5000.0}, DEVICE)
    # 100 mAh x 3 V = 1080 J; 5 mJ a second.
    assert samples[-1].time_s == pytest.approx(216_000, rel=0.01)
    assert samples[0].charge_permille == 1000
    assert samples[-1].charge_permille == 0


def test_modes_follow_the_thresholds_downwards() -> None:
    policy = tiers(("88.88", 600), ("88.80", 200), ("80.80", 0))
    samples = discharge(policy, {"88.88": 6000.0, "88.80": 4000.0, "80.80": 2000.0}, DEVICE)
    assert list(dict.fromkeys(sample.mode for sample in samples)) == ["88.88", "88.80", "80.80"]
    for sample in samples:
        lower = {"88.88": 600, "88.80": 200, "80.80": 0}[sample.mode]
        assert int(sample.charge_permille) >= lower
    # 1080 J: 40 % at 6 mW, 40 % at 4 mW, 20 % at 2 mW.
    assert samples[-1].time_s == pytest.approx(72_000 + 108_000 + 108_000, rel=0.02)


def test_idle_power_counts() -> None:
    device = Device(capacity_mah=100, millivolts=3000, period_s=10, idle_uw=500)
    samples = discharge(tiers(("88.88", 0)), {"88.88": 5000.0}, device)
    assert samples[-1].time_s == pytest.approx(1_080_000, rel=0.01)
