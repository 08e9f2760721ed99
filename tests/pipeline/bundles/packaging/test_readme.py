# SPDX-License-Identifier: Apache-2.0
"""README.md of a package: five lines for the build system, its program compiles, its figures are the package's."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.meaning import Meaning, OutputMeaning
from dimmer.pipeline.bundles.packaging.formats import FORMATS
from dimmer.pipeline.bundles.packaging.order import kinds_of
from dimmer.pipeline.bundles.packaging.package import Package
from dimmer.pipeline.bundles.packaging.readme import STACK, readme
from dimmer.pipeline.bundles.packaging.source import PackageOrder, make_package
from dimmer.pipeline.image.order import foreign_order
from tests.firmware_gen.tflite_builder import Layers, pack
from tests.pipeline.bundles.packaging.made import CLASSES, spread


def text_of(package: Package, name: str) -> str:
    return readme(package, FORMATS[name].title, FORMATS[name].usage)


@pytest.mark.parametrize("name", FORMATS)
def test_five_lines_for_each(name: str, blocks: Package) -> None:
    text = text_of(blocks, name)
    section = text.split(f"## {FORMATS[name].title}\n")[1].split("\n## ")[0]
    numbers = re.findall(r"^(\d)\. ", section, re.MULTILINE)
    assert "".join(numbers) == "12345" * (len(numbers) // 5)
    assert numbers
    for word in ("Flags", "FPU", "Stack", "Threads", "Alignment", "Licence"):
        assert f"- **{word}**" in text
    assert blocks.version in text
    assert "<<" not in text
    assert "<%" not in text


def test_figures_and_names(blocks: Package, resnet: Package) -> None:
    text = text_of(blocks, "folder")
    for core in blocks.cores:
        assert f"| {core.kind.what} | {core.flash:,} | {core.weights:,} |" in text
        stack = STACK.get(core.kind.core)
        assert f"| {core.arena:,} | {f'{stack:,}' if stack else 'not measured'} |" in text
    assert ", ".join(CLASSES) in text
    assert "| Encoding | code = pixel |" in text
    assert "dimmer_set_mode` and `dimmer_report_battery` choose" in text
    other = text_of(resnet, "folder")
    assert "--labels FILE" in other
    assert "Encoding" not in other


def test_its_program_compiles(blocks: Package, tmp_path: Path) -> None:
    (code,) = re.findall(r"^```c\n(.*?)^```", text_of(blocks, "folder"), re.DOTALL | re.MULTILINE)
    folder = spread({**blocks.runtime, **blocks.model}, tmp_path)
    for file, command in (("a.c", ["gcc", "-std=c99"]), ("a.cpp", ["g++", "-std=c++17"])):
        (tmp_path / file).write_text(code)
        words = [*command, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", str(folder / "src")]
        subprocess.run([*words, str(tmp_path / file)], check=True)


def test_each_of_several_outputs_names_its_elements(tmp_path: Path) -> None:
    net = Layers(0)
    given = net.activation([1, 4], 1 / 64, 0, "given")
    kind, pose = (net.dense(given, made) for made in (3, 2))
    for tensor, name in ((kind, "kind"), (pose, "pose")):
        net.tensors[tensor].name = name
    file = tmp_path / "two.tflite"
    file.write_bytes(pack(net.model([given], [kind, pose])))
    outputs = (
        OutputMeaning("kind", ("none", "ring", "a|b")),
        OutputMeaning("pose", ("turn", "lean"), ("deg", "1"), (0.0, 0.0), (1.0, 1.0)),
    )
    order = replace(foreign_order([file]), meaning=Meaning(outputs=outputs))
    text = text_of(make_package(PackageOrder(order, kinds_of(["portable"]))), "folder")
    assert "| Elements of kind | none, ring, a_b |\n| Elements of pose | turn in deg, lean in 1 |\n| Modes" in text
    assert "not told" not in text
    unknown = make_package(PackageOrder(foreign_order([file]), kinds_of(["portable"])))
    assert "| Classes | not told" in text_of(unknown, "folder")
