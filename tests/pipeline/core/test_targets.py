# SPDX-License-Identifier: Apache-2.0
"""Targets as commands name them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core import targets
from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.core.targets import (
    equipped_firmware_target,
    load_firmware_target,
    require_target_tools,
    target_files,
    tool_versions,
    with_scratch_limit,
)
from dimmer.targets import Target, TargetError, load_target
from dimmer.targets.kit.family import FAMILIES
from dimmer.targets.timing.trace import PLUGIN
from tests.boards import BOARDS, SIMULATED

BOARD = "mps2-an386"


def test_no_limit_leaves_the_target_as_it_is() -> None:
    target = load_target(BOARD)
    assert with_scratch_limit(target, None) is target
    assert with_scratch_limit(target, 5) == dataclasses.replace(target, scratch_limit=5)


def test_a_target_of_bundles_takes_no_firmware() -> None:
    assert load_firmware_target(BOARD) == load_target(BOARD)
    with pytest.raises(DimmerError, match=r"jetson takes a bundle, no firmware: dimmer build --target jetson"):
        load_firmware_target("jetson")
    with pytest.raises(TargetError, match="unknown target 'lighthouse'"):
        load_firmware_target("lighthouse")


def test_a_target_with_an_npu_is_told_what_is_for_it() -> None:
    with pytest.raises(DimmerError, match=r"ethos-u55-128 has an NPU.*'dimmer build --target ethos-u55-128'"):
        load_firmware_target("ethos-u55-128")


def test_of_several_compilers_one_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, str]] = []
    monkeypatch.setattr(targets, "require_tools", asked.append)
    target = load_target("host")
    for compilers in (("no-such-gcc", "sh"), ("no-such-gcc", "no-such-clang")):
        packages = {"no-such-gcc": "gcc", "lamp": "lamp"}
        toolchain = dataclasses.replace(target.toolchain, compilers=compilers, packages=packages)
        require_target_tools(dataclasses.replace(target, toolchain=toolchain))
    assert asked == [{"lamp": "lamp"}, {"no-such-gcc": "gcc", "lamp": "lamp"}]


def test_a_target_that_is_equipped_has_its_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Target] = []
    monkeypatch.setattr(targets, "require_target_tools", asked.append)
    assert equipped_firmware_target(BOARD) == load_target(BOARD)
    assert asked == [load_target(BOARD)]


@pytest.mark.parametrize("name", ["host", *BOARDS, *SIMULATED])
def test_every_source_and_the_linker_script_of_a_firmware_are_among_its_files(name: str) -> None:
    target = load_target(name)
    files = target_files(target)
    script = target.toolchain.linker_script
    for source in (
        *target.toolchain.sources,
        *([] if script is None else [script]),
        ROOT / "targets" / "app" / "main.c",
    ):
        assert source.is_file()
        assert any(place == source or place in source.parents for place in files), source
    assert ROOT / "firmware_gen" / "runtime" in files


def test_versions_are_those_of_the_first_compiler_that_is_here_and_of_the_emulator() -> None:
    target = load_target("host")
    named = dataclasses.replace(target.toolchain, compilers=("no-such-gcc", "python3", "sh"))
    versions = tool_versions(dataclasses.replace(target, toolchain=named))
    assert list(versions) == ["python3"]
    assert versions["python3"].startswith("Python 3.")


def test_a_tool_that_is_absent_has_no_version() -> None:
    target = load_target(BOARD)
    toolchain = dataclasses.replace(target.toolchain, compilers=("no-such-gcc",), objcopy=None, packages={})
    runner = dataclasses.replace(target.runner, command=("no-such-emulator", "{elf}"))
    bare = dataclasses.replace(target, toolchain=toolchain, runner=runner, timing=None)
    assert tool_versions(bare) == {"no-such-emulator": ""}


def test_what_models_cycles_counts_where_the_target_has_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    target = load_target(BOARD)
    monkeypatch.setattr(targets, "host_compiler", lambda: "no-such-cc")
    assert tool_versions(target)["no-such-cc"] == ""
    assert PLUGIN in target_files(target)
    blind = dataclasses.replace(target, timing=None)
    assert "no-such-cc" not in tool_versions(blind)
    assert PLUGIN not in target_files(blind)


def test_libraries_that_are_linked_are_known_by_their_contents(tmp_path: Path) -> None:
    library = tmp_path / "libc.a"
    target = load_target("host")

    def versions(content: bytes) -> dict[str, str]:
        library.write_bytes(content)
        toolchain = dataclasses.replace(target.toolchain, packages={str(library): "libc"})
        return tool_versions(dataclasses.replace(target, toolchain=toolchain))

    assert versions(b"old")[str(library)] != versions(b"another")[str(library)]


def test_the_simulator_of_a_core_belongs_to_its_firmware(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dimmer.pipeline.core.targets.simulator_key", lambda rtl: f"of {rtl.name}")
    assert tool_versions(load_target(SIMULATED[0]))["simulator"] == f"of {SIMULATED[0]}"
    assert "simulator" not in tool_versions(load_target(BOARD))


def test_the_files_of_a_board_are_those_of_its_family_too() -> None:
    """An edit of a family's flags makes its boards anew."""
    assert FAMILIES / "cortex-m" in target_files(load_target("pico"))
    assert not any(path.is_relative_to(FAMILIES) for path in target_files(load_target("mps2-an386")))
