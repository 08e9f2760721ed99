"""The firmware stage: from .tflite files to a program that says of itself that it is right."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.library import sources
from dimmer.pipeline.artifacts.firmware import RESULT
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.core.stage import ROOT
from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.elf_shares import elf_shares
from dimmer.pipeline.image.make import make
from dimmer.pipeline.image.order import Order, foreign_order
from dimmer.pipeline.image.policy import recipe_policy
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.pipeline.recipe.sections.policy import PolicySection
from dimmer.targets import Target, load_target
from tests.boards import EVERY_TARGET
from tests.firmware_gen.modes import MODES, write_modes
from tests.firmware_gen.networks import tiny_mix, tiny_resnet
from tests.firmware_gen.tflite_builder import Layers
from tests.tiny import silent

SHARED = ROOT.parent / "shared" / "models"
RESNET_CODE, RESNET_RAM = 24 << 10, 60_000


def modes_order(folder: Path, samples: int = 0) -> Order:
    modes = write_modes(folder)
    return Order("modes", modes, even_policy(len(modes)), sample_inputs(modes[0].path, 1)[300:], samples)


@pytest.mark.parametrize("name", EVERY_TARGET)
def test_several_modes(name: str, tmp_path: Path) -> None:
    target = load_target(name)
    out = tmp_path / "out"
    figures = make(modes_order(tmp_path, 3), target, out, silent)
    assert json.loads((out / RESULT).read_text()) == figures
    assert [mode["name"] for mode in figures["modes"]] == list(MODES)
    for mode in figures["modes"]:
        assert mode["verify"] == {"samples": 6, "mismatches": 0, "backend": target.description}
        steps = [step for step in figures["steps"] if step["mode"] == mode["name"]]
        assert sum(step["macs"] for step in steps) == mode["macs"]
        if name != "host":
            assert sum(step["instructions"] for step in steps) == pytest.approx(mode["instructions"], rel=0.02)
    flash, ram, switch = figures["flash"], figures["ram"], figures["switch"]
    assert flash["total"] == flash["weights"] + flash["tables"] + flash["code"]
    assert 0 < switch["bytes_of_flash_per_extra_mode"] == (flash["total"] - flash["single_mode_total"]) / 2 < 600
    assert ram["arena"] == ram["single_mode_arena"] == ram["lower_bound"]
    assert {buffer["mode"] for buffer in figures["buffers"]} == set(MODES)
    assert {tuple(layer["modes"]) for layer in figures["layers"]} >= {("888", "880", "800"), ("888",)}
    if name != "host":
        assert all(mode["instructions"] > 0 for mode in figures["modes"])
        assert 0 < switch["instructions"] < 100
        assert ram["total"] >= ram["arena"] + ram["stack"]
        assert (out / "firmware.hex").is_file()
        assert (out / "firmware.bin").is_file()
    else:
        assert all(mode["instructions"] is None for mode in figures["modes"])
        assert figures["notes"]["modes[*].instructions"] == "host has no instruction counter"


def test_a_switch_in_the_middle_of_an_inference(tmp_path: Path) -> None:
    """The program's own trace tells which mode ran where."""
    target = load_target("host")
    order = modes_order(tmp_path)
    compiled = compile_modes(order, order.modes, target, tmp_path / "out")
    size, result = compiled.model.input_bytes, compiled.model.output_bytes
    plan = bytes([0, 1, 2, 0, 1])
    (tmp_path / "in.bin").write_bytes(b"DMV1" + struct.pack("<4I", 1, size, result, 5) + plan + order.known_input)
    target.run(compiled.elf, ["verify", "in.bin", "out.bin"], tmp_path)
    assert (tmp_path / "out.bin").read_bytes()[result:] == plan


def test_one_mode_has_nothing_to_compare(tmp_path: Path) -> None:
    path = tmp_path / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    figures = make(foreign_order([path], 2), load_target("host"), tmp_path / "out", silent)
    assert figures["switch"]["bytes_of_flash_per_extra_mode"] is None
    assert figures["notes"]["switch.bytes_of_flash_per_extra_mode"] == "there is only one mode"
    assert figures["policy"] == []


def test_float_models(tmp_path: Path) -> None:
    path = tmp_path / "mix.tflite"
    path.write_bytes(tiny_mix())
    figures = make(foreign_order([path], 4), load_target("host"), tmp_path / "out", silent)
    assert figures["modes"][0]["verify"]["mismatches"] == 0


def test_a_file_on_which_the_interpreter_dies(tmp_path: Path) -> None:
    net = Layers(0)
    x = net.activation([1, 4], 1.0, 0)
    path = tmp_path / "add.tflite"
    path.write_bytes(net.build(x, net.elementwise("ADD", x, x, output=net.activation([1, 4], 1e-9, 0, "y"))))
    with pytest.raises(FirmwareGenError, match=r"add\.tflite: operator 0 ADD \(y\): the rescaling factor"):
        make(foreign_order([path]), load_target("host"), tmp_path / "out", silent)


def test_a_wrong_firmware_is_not_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dimmer.pipeline.image.compiled.run_oracle", lambda jobs: [bytes(6) for _ in jobs])
    with pytest.raises(DimmerError, match="the self-test of 888, 880, 800 fails"):
        make(modes_order(tmp_path), load_target("host"), tmp_path / "out", silent)


def test_sizes_by_origin(tmp_path: Path) -> None:
    order = modes_order(tmp_path)
    compiled = compile_modes(order, order.modes, load_target("host"), tmp_path / "out")
    shares = elf_shares(compiled.elf, {path.name for path in sources()})
    assert shares.weights == sum(-(-c.size // 4) * 4 for c in compiled.model.constants if c.table == "weights")
    assert shares.tables >= compiled.model.table_bytes + compiled.model.parameter_bytes
    assert 0 < shares.runtime_code < compiled.sizes.text


@pytest.mark.parametrize(
    ("tiers", "modes", "expected"),
    [
        ((600, 400, 200), 4, [(600, 0), (400, 1), (200, 2), (0, 3)]),
        ((600, 400, 200), 2, [(600, 0), (0, 1)]),
        ((600,), 4, [(600, 0), (0, 3)]),
        ((600, 400, 200), 12, [(600, 0), (400, 4), (200, 7), (0, 11)]),
        ((600, 400), 1, []),
    ],
)
def test_policies_of_recipes(tiers: tuple[int, ...], modes: int, expected: list[tuple[int, int]]) -> None:
    policy = recipe_policy(PolicySection(tiers), range(modes))
    assert [(tier.min_charge_permille, tier.mode) for tier in policy.tiers] == expected


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {"DIMMER_BUILD": str(cwd / "build"), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "dimmer.pipeline.firmware", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    done = command("--tflite", str(path), "--target", "host", "--samples", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "0 of 4" in done.stdout
    assert (tmp_path / "build" / "resnet" / "host" / "firmware" / "firmware.elf").is_file()


def test_errors_are_one_line(tmp_path: Path) -> None:
    done = command("--tflite", str(tmp_path / "nothing.tflite"), "--target", "host", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("error: ")
    assert "Traceback" not in done.stderr


def measured(model: str, target: Target, tmp_path: Path) -> dict[str, Any]:
    return make(foreign_order([SHARED / model]), target, tmp_path / "out", silent)


@pytest.mark.shared
@pytest.mark.board
@pytest.mark.parametrize("model", ["pretrainedResnet_quant.tflite", "kws_ref_model.tflite"])
def test_shared_models_on_the_board(model: str, tmp_path: Path) -> None:
    figures = measured(model, load_target("mps2-an386"), tmp_path)
    assert figures["modes"][0]["verify"] == {
        "samples": 200,
        "mismatches": 0,
        "backend": load_target("mps2-an386").description,
    }
    assert figures["flash"]["runtime_code"] <= RESNET_CODE
    assert figures["ram"]["arena"] + figures["ram"]["stack"] <= RESNET_RAM
