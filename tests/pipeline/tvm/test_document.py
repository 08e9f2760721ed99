"""modules.json and weights.json, read as they were written."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.tvm.document import (
    RESULT,
    WEIGHT_LIST,
    GpuEntry,
    ModeEntry,
    ModulesDocument,
    load_modules,
    save_weight_list,
)
from dimmer.pipeline.tvm.parts import GpuCode, ModuleMode, TableTensor, TableWeight

TENSOR = TableTensor((1, 4, 5, 3), 0.5, -3)
DOCUMENT = ModulesDocument(
    "0.27.0", "aarch64-linux-gnu", False, None, TENSOR, TENSOR, (ModeEntry("88", "mode_0", "88.onnx"),)
)
WEIGHTS = (TableWeight("stem", "int8", (3, 4), 0, 12), TableWeight("head", "int8", (2,), 64, 2))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    DOCUMENT.save(tmp_path)
    save_weight_list(tmp_path, WEIGHTS)
    return tmp_path


def test_modules_are_those_that_were_saved_with_their_files_in_the_folder(folder: Path) -> None:
    modules = load_modules(folder)
    assert (modules.input, modules.output, modules.weights, modules.gpu) == (TENSOR, TENSOR, WEIGHTS, None)
    assert modules.modes == (ModuleMode("88", "mode_0", (0, 1), folder / "88.onnx"),)
    assert (modules.library, modules.weights_file) == (folder / "dimmer_modes.so", folder / "weights.bin")
    assert list(json.loads((folder / RESULT).read_text())) == [
        *("tvm", "triple", "tuned", "gpu", "input", "output", "modes")
    ]
    assert list(json.loads((folder / WEIGHT_LIST).read_text())[0]) == ["name", "dtype", "shape", "offset", "size"]


def test_a_gpu_has_its_own_library_and_code(folder: Path) -> None:
    replace(DOCUMENT, gpu=GpuEntry("sm_87", "a.so", "a.cubin")).save(folder)
    assert load_modules(folder).gpu == GpuCode(folder / "a.so", folder / "a.cubin", "sm_87")


@pytest.mark.parametrize("name", [RESULT, WEIGHT_LIST])
@pytest.mark.parametrize("content", [None, "{", "[1]", '{"tvm": 1}'])
def test_damage_is_one_line_with_a_way_out(folder: Path, name: str, content: str | None) -> None:
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(DimmerError, match=r"holds no modules of TVM \(.*\): build them again"):
        load_modules(folder)
