# SPDX-License-Identifier: Apache-2.0
"""The command that empties a battery."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import simulate
from dimmer.pipeline.core.closure import ROOT

TIER = {"min_millivolts": 0, "hysteresis_permille": 30, "dwell_s": 60}


def test_modes_and_policy_stand_with_their_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    folder = tmp_path / "mnist5k-r14" / "mps2-an386"
    folder.mkdir(parents=True)
    report = {
        "policy": [
            {"mode": "88.88.88", "min_charge_permille": 500, **TIER},
            {"mode": "80.80.80", "min_charge_permille": 0, **TIER},
        ],
        "modes": [{"name": "88.88.88", "energy_uj": 6000.0}, {"name": "80.80.80", "energy_uj": 2000.0}],
    }
    (folder / "report.json").write_text(json.dumps(report))
    simulate.main("mps2-an386", "mnist5k-r14", capacity=100.0, millivolts=3000, period=1.0, idle=0.0)
    said = capsys.readouterr().out
    lives = {name: int(hours) for name, hours in re.findall(r"(\S+) +│[^│]*│ +(\d+) │", said)}
    # 1080 J at 6 mW, at 2 mW, and half of it at each.
    assert lives["88.88.88"] == 50
    assert lives["80.80.80"] == 150
    assert lives["policy"] == pytest.approx(100, abs=2)


def test_what_is_not_said_is_as_the_recipe_and_the_target_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    models, build = tmp_path / "models", tmp_path / "build"
    monkeypatch.setenv("DIMMER_BUILD", str(build))
    monkeypatch.setenv("DIMMER_MODELS", str(models))
    recipe = (ROOT / "models" / "mnist5k-r14" / "recipe.toml").read_text()
    (models / "lamp").mkdir(parents=True)
    duty = "[duty]\nperiod_s = 20\nquiet_hours = 12\ncapacity_mah = 100\nmillivolts = 2000\n"
    (models / "lamp" / "recipe.toml").write_text(f"{recipe}\n{duty}")
    folder = build / "lamp" / "mps2-an386"
    folder.mkdir(parents=True)
    report = {
        "policy": [{"mode": "88.88.88", "min_charge_permille": 0, **TIER}],
        "modes": [{"name": "88.88.88", "energy_uj": 3992.6}],
    }
    (folder / "report.json").write_text(json.dumps(report))
    simulate.main("mps2-an386", "lamp")
    said = " ".join(capsys.readouterr().out.split())
    # 0.5 uC for a wake-up every 40 s, and 3 uA of sleep, at 2 V.
    assert "100 mAh at 2 V, an inference every 40 s, 6.025 µW besides" in said
    # 720 J at 105.84 uW.
    assert re.search(r"88\.88\.88 │[^│]*│ 1,8(89|90) │", said), said
    simulate.main("mps2-an386", "lamp", capacity=50.0, millivolts=3000, period=2.0, idle=5.0)
    assert "50 mAh at 3 V, an inference every 2 s, 5.75 µW besides" in " ".join(capsys.readouterr().out.split())


def test_a_period_shorter_than_an_inference_is_told_and_no_life_is_shorter_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    folder = tmp_path / "mnist5k-r14" / "mps2-an386"
    folder.mkdir(parents=True)
    report = {
        "policy": [{"mode": "88.88.88", "min_charge_permille": 0, **TIER}],
        "modes": [{"name": "88.88.88", "energy_uj": 6000.0}],
        "energy": {"regulator": "switched", "modes": [{"name": "88.88.88", "milliseconds": {"value": 2000.0}}]},
    }
    (folder / "report.json").write_text(json.dumps(report))
    simulate.main("mps2-an386", "mnist5k-r14", capacity=100.0, millivolts=3000, period=0.01, idle=0.0)
    said = capsys.readouterr().out
    # 1080 J at 6 mJ in 2 s.
    assert re.search(r"88\.88\.88 +│[^│]*│ +100 │", said), said
    assert re.search(r"policy +│[^│]*│ +100 │", said), said
    assert "88.88.88 takes longer than the period: it runs without a pause." in said


def test_a_fleet_without_an_end_is_told_to_fix_a_mode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    simulate.main(scenario=["endless"], devices=2, seeds=2, setting=None, scheduler="none", out=tmp_path)
    said = capsys.readouterr().out
    assert "no policy can beat one fixed mode. Take 20.20.20" in said
    content = json.loads((tmp_path / "results.json").read_text())
    (scenario,) = content["scenarios"]
    assert scenario["best_fixed"] == "fixed 20.20.20"
    right = {row["policy"]: row["right"]["value"] for row in scenario["policies"]}
    assert max(right, key=lambda policy: right[policy]) == "fixed 20.20.20"
    assert (tmp_path / "results.svg").is_file()


def test_an_unknown_scenario_is_told(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match="no scenario is called lunar"):
        simulate.main(scenario=["lunar"], devices=1, seeds=1, setting=None, scheduler="none", out=tmp_path)
