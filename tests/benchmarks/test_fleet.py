# SPDX-License-Identifier: Apache-2.0
"""docs/fleet.md has the tables that the command prints, and the statistics behind them are right."""

from __future__ import annotations

import math
import re

import pytest

from dimmer.benchmarks import fleet
from dimmer.pipeline.core.closure import ROOT


def test_the_page_has_the_command_s_tables() -> None:
    page = (ROOT / "docs" / "fleet.md").read_text()
    for table in "\n".join(fleet.tables()).split("\n\n"):
        assert table in page, "python -m benchmarks.fleet prints other tables than docs/fleet.md has"


def test_an_inference_takes_what_the_readme_says_of_its_cheapest_mode() -> None:
    first = (ROOT / "README.md").read_text().split("└", 1)[0]
    energies = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) uJ", first)]
    assert min(energies) == 1000 * fleet.INFERENCE_MJ
    page = (ROOT / "docs" / "fleet.md").read_text()
    assert f"{fleet.INFERENCE_MJ} mJ is the cheapest mode of README's first table" in page


@pytest.mark.parametrize(("count", "devices", "share"), [(1, 10, 0.1), (3, 20, 0.2), (20, 20, 0.9), (5, 1000, 0.001)])
def test_the_binomial_tail(count: int, devices: int, share: float) -> None:
    exact = math.fsum(
        math.comb(devices, k) * share**k * (1 - share) ** (devices - k) for k in range(count, devices + 1)
    )
    assert fleet.at_least(count, devices, share) == pytest.approx(exact, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("devices", fleet.STAGES)
def test_a_stage_stops_seldom_for_healthy_devices_and_surely_for_bad_ones(devices: int) -> None:
    found = fleet.stage(devices)
    assert fleet.at_least(found.threshold, devices, fleet.HEALTHY) <= fleet.ALARM
    assert fleet.at_least(found.threshold - 1, devices, fleet.HEALTHY) > fleet.ALARM
    assert fleet.at_least(found.threshold, devices, found.found) == pytest.approx(0.99, abs=1e-6)
    assert (1 - found.excluded) ** devices == pytest.approx(0.05)


def test_a_smaller_change_needs_more_devices() -> None:
    needed = [fleet.devices_to_see(points) for points in (0.05, 0.02, 0.01)]
    assert needed == sorted(needed)
    assert needed[2] == pytest.approx(25 * needed[0], rel=0.03)


def test_slower_packets_stay_longer_on_air() -> None:
    times = [fleet.lora_seconds(44, spreading) for spreading in range(7, 13)]
    assert times == sorted(times)
    # As The Things Network's calculator has it for 51 bytes: 118.0 ms at SF7, 2,793.5 ms at SF12.
    assert fleet.lora_seconds(51, 7) == pytest.approx(0.1180, abs=1e-4)
    assert fleet.lora_seconds(51, 12) == pytest.approx(2.7935, abs=1e-4)
