# SPDX-License-Identifier: Apache-2.0
"""A simulated battery empties at the rate of the modes that the firmware's own policy chooses."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.firmware import PolicyTier
from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.energy.device import Device, Inference
from dimmer.pipeline.energy.discharge import discharge, policy_of_report

DEVICE = Device(capacity_mah=100, millivolts=3000, period_s=1, idle_uw=0)


def tiers(*thresholds: tuple[str, int]) -> list[PolicyTier]:
    return [PolicyTier(mode, charge, 0, 30, 60) for mode, charge in thresholds]


def test_one_mode_lasts_as_long_as_energy_over_power() -> None:
    samples = discharge(tiers(("88.88", 0)), {"88.88": Inference(5000.0)}, DEVICE)
    # 100 mAh x 3 V = 1080 J; 5 mJ a second.
    assert samples[-1].time_s == pytest.approx(216_000, rel=0.01)
    assert samples[0].charge_permille == 1000
    assert samples[-1].charge_permille == 0


def test_modes_follow_the_thresholds_downwards() -> None:
    policy = tiers(("88.88", 600), ("88.80", 200), ("80.80", 0))
    taken = {"88.88": Inference(6000.0), "88.80": Inference(4000.0), "80.80": Inference(2000.0)}
    samples = discharge(policy, taken, DEVICE)
    assert list(dict.fromkeys(sample.mode for sample in samples)) == ["88.88", "88.80", "80.80"]
    for sample in samples:
        lower = {"88.88": 600, "88.80": 200, "80.80": 0}[sample.mode]
        assert int(sample.charge_permille) >= lower
    # 1080 J: 40 % at 6 mW, 40 % at 4 mW, 20 % at 2 mW.
    assert samples[-1].time_s == pytest.approx(72_000 + 108_000 + 108_000, rel=0.02)


def test_idle_power_counts() -> None:
    device = Device(capacity_mah=100, millivolts=3000, period_s=10, idle_uw=500)
    samples = discharge(tiers(("88.88", 0)), {"88.88": Inference(5000.0)}, device)
    assert samples[-1].time_s == pytest.approx(1_080_000, rel=0.01)


def test_the_command_reads_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    folder = tmp_path / "mnist5k-r14" / "mps2-an386"
    folder.mkdir(parents=True)
    tier = {"min_charge_permille": 0, "min_millivolts": 0, "hysteresis_permille": 30, "dwell_s": 60}
    report: dict[str, list[dict[str, Any]]] = {
        "policy": [{"mode": "80.80.80", **tier}],
        "modes": [{"name": "88.88.88", "energy_uj": 6000.0}, {"name": "80.80.80", "energy_uj": 2990.0}],
    }
    (folder / "report.json").write_text(json.dumps(report))
    done = subprocess.run([sys.executable, "-m", "pipeline.simulate"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # 220 mAh x 3 V = 2,376 J; 3 mW.
    assert re.search(r"policy.* 22\d\b", done.stdout), done.stdout
    report["modes"][0]["energy_uj"] = None
    (folder / "report.json").write_text(json.dumps(report))
    done = subprocess.run([sys.executable, "-m", "pipeline.simulate"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "energy is null; name a target" in done.stderr


def test_a_report_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        DimmerError,
        match=r"report\.json cannot be read .*: type 'python -m pipeline\.build --model .* --target .*' first",
    ):
        policy_of_report(tmp_path / "report.json")


def test_behind_a_linear_regulator_a_cell_of_more_volts_pays_more(tmp_path: Path) -> None:
    tier = {"mode": "88", "min_charge_permille": 0, "min_millivolts": 0, "hysteresis_permille": 30, "dwell_s": 60}
    report: dict[str, Any] = {"policy": [tier], "modes": [{"name": "88", "energy_uj": 1800.0}]}
    path = tmp_path / "report.json"
    for regulator, energy in (("linear", 3000.0), ("switched", 1800.0)):
        path.write_text(json.dumps({**report, "energy": {"regulator": regulator, "supply_mv": 1800.0}}))
        assert policy_of_report(path, 3000)[1]["88"].microjoules == pytest.approx(energy)
        assert policy_of_report(path)[1] == {"88": Inference(1800.0)}
    path.write_text(json.dumps({**report, "energy": None}))
    assert policy_of_report(path, 3000)[1] == {"88": Inference(1800.0)}
    for supply in (0, -1, "much", float("nan")):
        path.write_text(json.dumps({**report, "energy": {"regulator": "linear", "supply_mv": supply}}))
        with pytest.raises(DimmerError, match=r"report\.json"):
            policy_of_report(path, 3000)


def test_how_long_an_inference_lasts_is_the_report_s(tmp_path: Path) -> None:
    tier = {"mode": "88", "min_charge_permille": 0, "min_millivolts": 0, "hysteresis_permille": 30, "dwell_s": 60}
    path = tmp_path / "report.json"

    def read(milliseconds: object) -> Inference:
        board = {"regulator": "switched", "modes": [{"name": "88", "milliseconds": {"value": milliseconds}}]}
        path.write_text(json.dumps({"policy": [tier], "modes": [{"name": "88", "energy_uj": 18.0}], "energy": board}))
        return policy_of_report(path, 3000)[1]["88"]

    assert read(2500) == Inference(18.0, 2.5)
    for wrong in (-1, "long", float("inf"), float("nan"), None):
        with pytest.raises(DimmerError, match=r"report\.json"):
            read(wrong)
    # 1080 J, 18 J every 2.5 s, and not each second.
    samples = discharge(tiers(("88", 0)), {"88": Inference(18e6, 2.5)}, DEVICE)
    assert samples[-1].time_s == pytest.approx(150, rel=0.02)
