# SPDX-License-Identifier: Apache-2.0
"""Operators as TVM loops: bit for bit what the reference kernels give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.tvm.module import build_modules
from dimmer.pipeline.tvm.targets import TARGETS
from tests.firmware_gen.tflite_builder import Layers
from tests.pipeline.tvm.networks import KINDS, compare, network

needs_tvm = pytest.mark.xdist_group("tvm")


@pytest.fixture
def tvm() -> Any:
    return pytest.importorskip("tvm", reason="needs apache-tvm")


@needs_tvm
@pytest.mark.parametrize(
    "kind",
    KINDS,
)
def test_operators_are_bit_exact(tvm: Any, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "network.tflite"
    path.write_bytes(network(kind))
    compare([ModeSource("8", path)], tmp_path / "out")


def test_an_operator_without_a_lowering_is_named(tvm: Any, tmp_path: Path) -> None:
    net = Layers(1)
    x = net.activation([1, 4])
    path = tmp_path / "soft.tflite"
    path.write_bytes(net.build(x, net.softmax(x)))
    with pytest.raises(DimmerError, match=r"soft\.tflite: operator 0 SOFTMAX .* has no lowering for TVM"):
        build_modules({"8": path}, TARGETS["host"], tmp_path / "out")
