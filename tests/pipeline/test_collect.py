"""The stages' figures end up in the right places of the report, and their files beside it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.report import LayerFlash, PolicyTier, Verification
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.core.stage import StageResult
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.reporting.collect import collect
from dimmer.pipeline.reporting.deliver import publish
from dimmer.pipeline.reporting.page import check_document
from dimmer.targets import load_target

TIERS = [
    {"mode": "88.88.88", "min_charge_permille": 500, "min_millivolts": 0, "hysteresis_permille": 30, "dwell_s": 60},
    {"mode": "80.80.80", "min_charge_permille": 0, "min_millivolts": 0, "hysteresis_permille": 30, "dwell_s": 60},
]
OUTCOME = {"samples": 100, "mismatches": 0, "first": None}


def calibrated(name: str, macs: int, published: bool) -> dict[str, Any]:
    return {
        "name": name,
        "macs": macs,
        "bit_operations": 64 * macs,
        "accuracy": 0.9,
        "published": published,
        "reason": "best of its cost",
        "loss": 0.3,
    }


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


@pytest.fixture
def context(tmp_path: Path) -> BuildContext:
    build = tmp_path / "mnist5k-r14"
    modes = [("88.88.88", 2_000_000, True), ("80.88.88", 1_500_000, False), ("80.80.80", 1_000_000, True)]
    write(build / "calibrate" / "calibration.json", {"modes": [calibrated(*mode) for mode in modes]})
    firmware = {
        "flash": {
            **{"weights": 1000, "tables": 200, "code": 300, "total": 1500, "single_mode_total": 1400},
            "runtime_code": 250,
        },
        "ram": {
            **{"arena": 4096, "scratch": 1024, "stack": 512, "total": 5000, "single_mode_arena": 4096},
            "lower_bound": 4000,
        },
        "switch": {"instructions": 9, "bytes_of_flash_per_extra_mode": 100.0},
        "modes": [{"name": name, "instructions": macs, "verify": None} for name, macs, published in modes if published],
        "policy": TIERS,
        "buffers": [
            {"mode": "88.88.88", "name": "input", "offset": 0, "size": 784, "first_step": 0, "last_step": 0},
            {"mode": "80.80.80", "name": "input", "offset": 0, "size": 784, "first_step": 0, "last_step": 0},
        ],
        "layers": [
            {"layer": "stem: weights", "bytes": 144, "modes": ["88.88.88", "80.80.80"]},
            {"layer": "stem: bias", "bytes": 64, "modes": ["88.88.88"]},
            {"layer": "stem: multipliers", "bytes": 64, "modes": ["88.88.88"]},
        ],
        "notes": {"modes[*].verify": "left to pipeline.verify"},
        "left_out": [],
    }
    write(build / "mps2-an386" / "firmware" / "firmware.json", firmware)
    verified = [
        {"name": name, "accuracy": 0.88, "accuracy_float": 0.885, "host": OUTCOME, "target": OUTCOME}
        for name, _, published in modes
        if published
    ]
    result = {"backend": "QEMU", "test_images": 1000, "modes": verified}
    write(build / "mps2-an386" / "verify" / "verify.json", result)
    return BuildContext(load_recipe("mnist5k-r14"), load_target("mps2-an386"), build)


def test_figures_come_from_the_stage_that_measured_them(context: BuildContext) -> None:
    data = collect(context, [StageResult("train", 1.0, True)])
    top = data.modes[0]
    assert (top.name, top.macs, top.bit_operations) == ("88.88.88", 2_000_000, 128_000_000)
    assert (top.accuracy, top.accuracy_float) == (0.88, 0.885)
    assert top.verify == Verification(100, 0, "QEMU")
    assert top.energy_uj == pytest.approx(2_000_000 * 0.44e-3)
    assert [candidate.published for candidate in data.candidates] == [True, False, True]
    assert data.policy[1] == PolicyTier("80.80.80", 0, 0, 30, 60)
    assert data.layers == (LayerFlash("stem", 144, 128, ("88.88.88", "80.80.80")),)
    assert "0.44 nJ" in data.notes["modes[*].energy_uj"]
    check_document(data.document())


def test_battery_goes_through_the_modes(context: BuildContext) -> None:
    data = collect(context, [])
    assert {sample.mode for sample in data.battery} == {"88.88.88", "80.80.80"}
    assert "220 mAh" in data.battery_note


def test_target_without_energy_has_null_and_a_reason(context: BuildContext) -> None:
    data = collect(replace(context, target=replace(context.target, energy=None)), [])
    assert data.modes[0].energy_uj is None
    assert data.battery == ()
    check_document(data.document())


def test_missing_figures_name_the_file(context: BuildContext) -> None:
    path = context.target_dir / "verify" / "verify.json"
    path.unlink()
    with pytest.raises(DimmerError, match=r"verify\.json cannot be read .*: remove .*verify and build again"):
        collect(context, [])


def test_deliverables_lie_side_by_side_and_old_modes_go(context: BuildContext) -> None:
    firmware = context.target_dir / "firmware"
    (firmware / "firmware.elf").write_text("elf")
    (firmware / "firmware.elf").chmod(0o755)
    (firmware / "dimmer_model.c").write_text("c")
    for stage, name in (
        ("export", "88.88.88.onnx"),
        ("convert", "88.88.88.tflite"),
        ("convert", "88.88.88.float.tflite"),
    ):
        write(context.build_dir / stage / name, "")
    write(context.target_dir / "modes" / "80.88.88.tflite", "")
    publish(context)
    assert sorted(path.name for path in context.target_dir.iterdir()) == [
        *("dimmer_model.c", "firmware", "firmware.elf", "modes", "verify")
    ]
    assert sorted(path.name for path in (context.target_dir / "modes").iterdir()) == [
        *("88.88.88.onnx", "88.88.88.tflite")
    ]
    assert (context.target_dir / "firmware.elf").stat().st_mode & 0o111


def test_a_mode_left_out_on_the_target_says_why(context: BuildContext) -> None:
    path = context.target_dir / "firmware" / "firmware.json"
    figures = json.loads(path.read_text())
    figures["left_out"] = [{"mode": "80.88.88", "instructions": 9, "reason": "88.88.88 takes 8 instructions there"}]
    write(path, figures)
    entry = next(c for c in collect(context, ()).candidates if c.name == "80.88.88")
    assert not entry.published
    assert entry.reason == "88.88.88 takes 8 instructions there"
