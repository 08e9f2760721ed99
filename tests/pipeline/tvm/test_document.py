# SPDX-License-Identifier: Apache-2.0
"""modules.json and weights.json are read back as they were written, and damage is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.tvm.document import (
    GPU_CODE,
    GPU_LIBRARY,
    LIBRARY,
    RESULT,
    WEIGHT_LIST,
    WEIGHTS,
    GpuEntry,
    ModeEntry,
    ModulesDocument,
    load_modules,
    save_weight_list,
)
from dimmer.pipeline.tvm.parts import GpuCode, TableTensor, TableWeight

LISTED = (TableWeight("stem", "int8", (3, 3), 0, 9), TableWeight("head", "int32", (10,), 64, 40))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    gpu = GpuEntry("sm_87", GPU_LIBRARY, GPU_CODE)
    modes = (ModeEntry("88", "mode_0", "88.onnx"), ModeEntry("80", "mode_1", "80.onnx"))
    given, made = TableTensor((1, 4, 5, 3), 0.5, -128), TableTensor((1, 10), 0.1, 3)
    ModulesDocument("0.27.0", "aarch64-linux-gnu", False, gpu, given, made, modes).save(tmp_path)
    save_weight_list(tmp_path, LISTED)
    return tmp_path


def test_what_was_written_is_read_back_with_the_folder_before_every_name(folder: Path) -> None:
    modules = load_modules(folder)
    assert (modules.library, modules.weights_file) == (folder / LIBRARY, folder / WEIGHTS)
    assert modules.gpu == GpuCode(folder / GPU_LIBRARY, folder / GPU_CODE, "sm_87")
    assert [(mode.name, mode.function, mode.onnx.name) for mode in modules.modes] == [
        ("88", "mode_0", "88.onnx"),
        ("80", "mode_1", "80.onnx"),
    ]
    assert modules.weights == LISTED
    assert all(mode.weights == (0, 1) for mode in modules.modes), "a function takes all weights"
    assert (modules.input.shape, modules.output.zero_point) == ((1, 4, 5, 3), 3)


@pytest.mark.parametrize("name", [RESULT, WEIGHT_LIST])
@pytest.mark.parametrize("content", [None, "{", "[3]"])
def test_damage_is_one_line(folder: Path, name: str, content: str | None) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content)
    with pytest.raises(DimmerError) as caught:
        load_modules(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)
