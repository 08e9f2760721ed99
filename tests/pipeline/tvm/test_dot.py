# SPDX-License-Identifier: Apache-2.0
"""Dot products as the machine has them."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.bundles.bundle import machine_of
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.pipeline.tvm.dot import PLAIN, dot_of
from dimmer.pipeline.tvm.module import build_modules, mismatches
from dimmer.pipeline.tvm.targets import TARGETS
from tests.pipeline.tvm.networks import network

needs_tvm = pytest.mark.xdist_group("tvm")


@pytest.fixture
def tvm() -> Any:
    return pytest.importorskip("tvm", reason="needs apache-tvm")


@needs_tvm
@pytest.mark.parametrize("kind", ["strided and padded", "dilated, of odd channels"])
def test_loops_without_a_dot_product_instruction_are_bit_exact(tvm: Any, tmp_path: Path, kind: str) -> None:
    own = TARGETS["host"]
    any_processor = replace(own, name="any", llvm={"kind": "llvm", "mtriple": own.triple})
    if dot_of(any_processor.processor()) != PLAIN:
        pytest.skip(f"every {own.machine} has a dot product")
    path = tmp_path / "network.tflite"
    path.write_bytes(network(kind))
    build_modules({"8": path}, any_processor, tmp_path / "out")
    inputs = sample_inputs(path, 20)
    assert mismatches(tmp_path / "out", [ModeSource("8", path)], inputs) == {"8": 0}


@needs_tvm
@pytest.mark.board("jetson")
def test_the_board_s_convolutions_are_dot_product_instructions(tvm: Any, tmp_path: Path) -> None:
    path = tmp_path / "network.tflite"
    path.write_bytes(network("sum of two convolutions"))
    processor_alone = replace(TARGETS["jetson"], cuda=None)
    modules = build_modules({"8": path}, processor_alone, tmp_path / "out")
    assert machine_of(modules.library) == 183
    listing = ["aarch64-linux-gnu-objdump", "-d", "--no-show-raw-insn", str(modules.library)]
    text = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    # 9 taps of 4 channels into 16, and 1 tap, for each pixel: the loops over taps and pixels stay loops.
    assert text.count("\tsdot\t") >= 16
