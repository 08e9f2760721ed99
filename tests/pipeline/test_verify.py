"""Verification finds what is wrong, and counts it."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from dimmer.pipeline.artifacts.firmware import firmware_folder
from dimmer.pipeline.artifacts.verification import verify_folder
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.image.records import Record
from dimmer.pipeline.recipe.sections.gates import GatesSection
from dimmer.pipeline.recipe.sections.policy import PolicySection
from dimmer.pipeline.verification import modes
from dimmer.pipeline.verification.outcome import compare
from dimmer.pipeline.verification.schedules import switch_schedules
from dimmer.targets import TargetError, load_target
from tests.boards import EVERY_TARGET
from tests.tiny import TinyBuild, silent

pytestmark = pytest.mark.xdist_group("tiny")


def test_schedules_switch_at_every_boundary_both_ways() -> None:
    schedules = switch_schedules(4, 8)
    for at in range(1, 8):
        assert (0,) * at + (3,) * (8 - at) in schedules
        assert (3,) * at + (0,) * (8 - at) in schedules
    assert len(set(schedules)) == len(schedules)
    assert switch_schedules(1, 8) == switch_schedules(4, 1) == []


def test_a_wrong_byte_and_a_wrong_trace_are_mismatches() -> None:
    records = [Record((0, 0), 0), Record((0, 1), 1), Record((1, 1), 2)]
    expected = np.arange(9, dtype=np.int8).reshape(3, 3)
    ran = np.array([[0, 0], [0, 1], [1, 1]], np.uint8)
    assert compare(records, expected, expected.copy(), ran).mismatches == 0
    wrong = expected.copy()
    wrong[2, 1] += 1
    outcome = compare(records, expected, wrong, ran)
    assert (outcome.samples, outcome.mismatches, outcome.first) == (3, 1, 2)
    other = ran.copy()
    other[1, 1] = 0
    assert compare(records, expected, expected, other).first == 1


@pytest.mark.parametrize("name", EVERY_TARGET)
def test_every_mode_and_every_switch_equals_the_interpreter(tiny_converted: TinyBuild, name: str) -> None:
    from dimmer.pipeline import firmware, verify

    for target in dict.fromkeys(("host", name)):
        firmware.run(tiny_converted.recipe, tiny_converted.build, load_target(target), silent)
    verify.run(tiny_converted.recipe, tiny_converted.build, load_target(name), silent)
    result = json.loads((verify_folder(tiny_converted.build, name) / "verify.json").read_text())
    assert [m["name"] for m in result["modes"]] == ["88.88", "88.80", "80.80"]
    for mode in result["modes"]:
        assert (mode["target"]["samples"], mode["target"]["mismatches"]) == (4, 0)
        assert mode["accuracy"] == pytest.approx(mode["accuracy_float"], abs=0.05)
    assert result["switches"]["target"]["samples"] > 20
    assert result["switches"]["target"]["mismatches"] == 0


@pytest.mark.parametrize("name", ["host", pytest.param("mps2-an386", marks=pytest.mark.board("mps2-an386"))])
def test_a_gated_build_is_verified_and_its_budgets_measured(
    tiny_converted: TinyBuild, name: str, tmp_path: Path
) -> None:
    """Binary skipping: its blocks are those of super-net and base-net."""
    from dimmer.pipeline import firmware, train_gates, verify

    gates = GatesSection(options=(8, 0), warmup_epochs=1, epochs=1, tune_epochs=0, images=256, budgets=(0.9, 0.7))
    policy = PolicySection(tiers=(500,), budgets=(0.9, 0.6))
    recipe = dataclasses.replace(tiny_converted.recipe, gates=gates, policy=policy)
    train_gates.run(recipe, tiny_converted.build, silent)
    build = tmp_path / "build"
    shutil.copytree(tiny_converted.build / "convert", build / "convert")
    shutil.copytree(tiny_converted.build / "calibrate", build / "calibrate")
    for target in dict.fromkeys(("host", name)):
        firmware.run(recipe, build, load_target(target), silent)
    tiers = json.loads((firmware_folder(build, name) / "firmware.json").read_text())["policy"]
    assert [tier["mode"] for tier in tiers] == ["gated", "gated"]
    counted = json.loads((firmware_folder(build, name) / "firmware.json").read_text())["gates"]
    assert (counted["share_of_top_mode"] is None) if name == "host" else (0 < counted["share_of_top_mode"] < 0.1)
    verify.run(recipe, build, load_target(name), silent)
    found = json.loads((verify_folder(build, name) / "verify.json").read_text())["gates"]
    assert found["samples"] == 4
    assert set(found["mismatches"].values()) == {0}
    assert [line["budget"] for line in found["budgets"]] == [0.9, 0.7]
    for line in found["budgets"]:
        assert sum(line["modes"].values()) == len(load_dataset("mnist5k").test)
        assert line["agreement"]["inputs"] > 0.8


def test_a_firmware_that_computes_something_else_is_refused(tiny_converted: TinyBuild, tmp_path: Path) -> None:
    """The file of one mode under the name of another gives other results, and verification must say so."""
    from dimmer.pipeline import firmware

    wrong = tmp_path / "build"
    shutil.copytree(tiny_converted.build, wrong, ignore=shutil.ignore_patterns("host", "mps*", "riscv*"))
    contents = json.loads((wrong / "convert" / "modes.json").read_text())
    firmware.run(tiny_converted.recipe, wrong, load_target("host"), silent)
    super_net, base_net = contents["modes"][0], contents["modes"][2]
    super_net["name"], base_net["name"] = base_net["name"], super_net["name"]
    (wrong / "convert" / "modes.json").write_text(json.dumps(contents))
    (tmp_path / "out").mkdir()
    with pytest.raises(DimmerError, match=r"differs from the TFLite interpreter in [1-9]"):
        modes.verify(tiny_converted.recipe, wrong, load_target("host"), tmp_path / "out", silent)
    assert not (tmp_path / "out" / "verify.json").exists()


@pytest.mark.board
def test_a_damaged_flash_image_says_so(tiny_converted: TinyBuild, tmp_path: Path) -> None:
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    from dimmer.pipeline import firmware

    board = load_target("mps2-an386")
    firmware.run(tiny_converted.recipe, tiny_converted.build, board, silent)
    elf = firmware_folder(tiny_converted.build, board.name) / "firmware.elf"
    with elf.open("rb") as stream:
        symbols = ELFFile(stream).get_section_by_name(".symtab")
        assert isinstance(symbols, SymbolTableSection)
        (weights,) = symbols.get_symbol_by_name("weights") or []
    image = bytearray(elf.with_suffix(".bin").read_bytes())
    (tmp_path / "good.bin").write_bytes(image)
    assert board.run(tmp_path / "good.bin", ["selftest"], tmp_path).returncode == 0
    image[weights["st_value"] + weights["st_size"] // 2] ^= 0x10
    (tmp_path / "bad.bin").write_bytes(image)
    with pytest.raises(TargetError, match="damaged"):
        board.run(tmp_path / "bad.bin", ["selftest"], tmp_path)
