# SPDX-License-Identifier: Apache-2.0
"""Modes as TVM functions: bit for bit what the reference kernels give, on weights that are there once."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.pipeline.artifacts.converted import mode_sources
from dimmer.pipeline.bundles import make
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.pipeline.tvm.document import load_modules
from dimmer.pipeline.tvm.module import build_modules
from dimmer.pipeline.tvm.targets import TARGETS
from dimmer.targets import load_target
from tests.firmware_gen.modes import write_modes
from tests.pipeline.tvm.networks import compare
from tests.tiny import TinyBuild

Int8 = npt.NDArray[np.int8]

needs_tvm = pytest.mark.xdist_group("tvm")


@pytest.fixture
def tvm() -> Any:
    return pytest.importorskip("tvm", reason="needs apache-tvm")


@needs_tvm
def test_modes_are_bit_exact_on_one_set_of_weights(tvm: Any, tmp_path: Path) -> None:
    modes = list(write_modes(tmp_path))
    compare(modes, tmp_path / "out")
    layers = {1000, 1010, 1020, 1011, 1021, 1012, 1022}  # stem and the two layers of each block
    weights = load_modules(tmp_path / "out").weights
    assert len(weights) == len(layers) + 1  # and the head
    assert len({weight.offset for weight in weights}) == len(weights)


@pytest.mark.slow
@pytest.mark.xdist_group("tiny_narrow")
def test_modes_of_4_and_2_bits_are_bit_exact_on_the_weights_of_8(
    tvm: Any, tiny_narrow: TinyBuild, tmp_path: Path
) -> None:
    modes = list(mode_sources(tiny_narrow.build / "convert"))
    assert {"88.88", "44.44", "84.20"} <= {mode.name for mode in modes}
    compare(modes, tmp_path / "all")
    build_modules({modes[0].name: modes[0].path}, TARGETS["host"], tmp_path / "one")
    sizes = {name: (tmp_path / name / "weights.bin").stat().st_size for name in ("all", "one")}
    assert sizes["all"] == sizes["one"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.board(name)) for name in ("jetson", "linux-aarch64")]
)
@needs_tvm
def test_the_bundle_of_the_board_is_bit_exact_under_emulation(tvm: Any, tmp_path: Path, name: str) -> None:
    target, modes = load_target(name), list(write_modes(tmp_path))
    inputs = sample_inputs(modes[0].path, 50)
    try:
        modules = build_modules({mode.name: mode.path for mode in modes}, TARGETS[name], tmp_path / "modules")
        figures = make.make(
            "hand-built", modules, modes, even_policy(len(modes)), inputs, 100, target, tmp_path / "out"
        )
    except DimmerError as error:
        if "cannot be had" not in str(error):
            raise
        pytest.skip(str(error))
    assert figures.architecture == "aarch64"
    gpu = modules.gpu
    assert (gpu is None) == (name != "jetson")
    if gpu is not None:
        header = subprocess.run(["readelf", "-h", str(gpu.code)], capture_output=True, text=True, check=True).stdout
        assert "NVIDIA CUDA architecture" in header
        assert b"the machine code is the .cubin file" in gpu.library.read_bytes()
        assert figures.bytes.gpu_library == gpu.library.stat().st_size + gpu.code.stat().st_size
    assert [(mode.verify.samples, mode.verify.mismatches) for mode in figures.modes] == [(100, 0)] * 3
    assert sorted(path.name for path in (tmp_path / "out" / "hand-built" / "onnx").iterdir()) == [
        "800.onnx",
        "880.onnx",
        "888.onnx",
    ]
