# SPDX-License-Identifier: Apache-2.0
"""Generated C, found and read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.meaning import InputMeaning, Meaning
from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.library import RUNTIME
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.hosted.generated import find_generated
from tests.firmware_gen.networks import tiny_ends
from tests.pipeline.hosted.examples import modes_folder


def test_names_kernels_and_shapes_are_found(tmp_path: Path) -> None:
    found = find_generated(modes_folder(tmp_path))
    assert (found.source.name, found.header.name) == ("dimmer_blocks.c", "dimmer_blocks.h")
    assert "dimmer_conv2d_s8" in found.kernels
    assert found.foreign_kernels == ()
    assert (found.shape("INPUT"), found.shape("OUTPUT")) == ((1, 10, 10, 3), (1, 6))


def test_several_inputs_have_the_scale_of_measured_values(tmp_path: Path) -> None:
    (tmp_path / "ends.tflite").write_bytes(tiny_ends())
    meaning = Meaning(inputs=(InputMeaning("image"), InputMeaning("context", ("c",), (-4.5, 1e-7), (0.035, 2.0))))
    generate([ModeSource("ends", tmp_path / "ends.tflite")], tmp_path / "out", name="x", meaning=meaning)
    image, context = find_generated(tmp_path / "out").parts("INPUT")
    assert (image.lowest, image.step) == ((), ())
    assert (context.lowest, context.step) == ((-4.5, 1e-7), (0.035, 2.0))


def test_what_is_broken_is_told(tmp_path: Path) -> None:
    folder = modes_folder(tmp_path) / "host" / "firmware"
    header = folder / "dimmer_blocks.h"
    header.write_text(header.read_text().replace("int8[1,10,10,3]", ""))
    with pytest.raises(DimmerError, match=r"dimmer_blocks\.h does not tell the shape of its input: generate it again"):
        find_generated(folder).shape("INPUT")
    header.unlink()
    with pytest.raises(DimmerError, match=r"dimmer_blocks\.h cannot be read .*: generate it again"):
        find_generated(folder)
    (folder / "dimmer_model.h").write_text("\n")
    with pytest.raises(DimmerError, match=r"dimmer_model\.h names no model: generate it again"):
        find_generated(folder)


def test_a_stage_s_own_c_comes_before_an_older_copy(tmp_path: Path) -> None:
    target = modes_folder(tmp_path) / "host"
    for name in ("dimmer_model.h", "dimmer_blocks.h", "dimmer_blocks.c"):
        (target / name).write_bytes((target / "firmware" / name).read_bytes())
    assert find_generated(target).folder == target / "firmware"
    assert find_generated(target / "firmware").folder == target / "firmware"


def test_a_folder_is_found_from_within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = modes_folder(tmp_path)
    board = build / "board" / "firmware"
    shutil.copytree(build / "host" / "firmware", board)
    source = board / "dimmer_blocks.c"
    foreign = next(path.stem for path in sorted((RUNTIME / "kernels" / "helium").glob("dimmer_*.c")))
    source.write_text(source.read_text() + f"\nextern int {foreign}(void);\n")
    for place, name in ((board, "."), (board.parent, "."), (board.parent, "firmware"), (build, "board"), (build, ".")):
        monkeypatch.chdir(place)
        assert find_generated(Path(name)).folder == build / "host" / "firmware"
