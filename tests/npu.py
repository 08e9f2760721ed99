# SPDX-License-Identifier: Apache-2.0
"""Two depth modes of a small network, compiled for an NPU once for all tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.graph.types import Graph
from dimmer.firmware_gen.npu.compiled import CompiledMode
from dimmer.firmware_gen.npu.exact import Dense, dense_layers
from dimmer.firmware_gen.npu.relink import Relinked, relink
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.conversion.npu.parts import Compiled
from dimmer.pipeline.core.extras import missing_packages
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.targets.kit.npu import Npu
from tests.firmware_gen.tflite_builder import Layers

NAMES = ("88", "80")
IMAGE = (1, 12, 12, 3)
NPU = Npu("ethos-u55-128", "Ethos_U55_High_End_Embedded", "Shared_Sram")
WITHOUT_VELA = pytest.mark.skipif(bool(missing_packages(["ethos-u-vela"])), reason="needs pip install 'dimmer-nn[npu]'")


def write_modes(folder: Path) -> tuple[ModeSource, ...]:
    """Stem, block, head; and the same without the block and with other biases in the stem, as other norms have it."""
    layers = Layers(3)
    image = layers.activation(IMAGE)
    stem = layers.conv(image, 16, activation="RELU")
    before = len(layers.operators)
    block = layers.residual(stem)
    after = len(layers.operators)
    pooled = layers.pool("AVERAGE_POOL_2D", block, (12, 12), (1, 1), "VALID", "NONE")
    scores = layers.dense(layers.reshape(pooled, [1, 16]), 10, per_channel=True)
    full = layers.build(image, scores)
    layers.operators[after].inputs[0] = stem
    del layers.operators[before:after]
    bias = layers.buffers[layers.tensors[layers.operators[0].inputs[2]].buffer]
    bias.data = (np.frombuffer(bias.data.tobytes(), np.int32) + 77).view(np.uint8)
    found = []
    for name, content in zip(NAMES, (full, layers.build(image, scores)), strict=True):
        path = folder / f"{name}.tflite"
        path.write_bytes(content)
        found.append(ModeSource(name, path))
    return tuple(found)


def mixed(block: bool = True) -> bytes:
    """A `.tflite` with two operators that Vela leaves to the core, the first of them beside a value that goes on."""
    layers = Layers(3)
    image = layers.activation(IMAGE)
    stem = layers.conv(image, 16, activation="RELU")
    mean = layers.activation([*IMAGE[:3], 1], layers.scale_of(stem) * 0.8, name="mean")
    mean = layers.operator("MEAN", [stem, layers.constant("axes", [3])], mean, keepDims=True)
    narrow = layers.conv(layers.elementwise("ADD", stem, mean), 8, stride=(2, 2))
    if block:
        narrow = layers.residual(narrow)
    turned = layers.activation([1, 6, 6, 8], layers.scale_of(narrow), layers.zero_point_of(narrow), name="reversed")
    turned = layers.operator("REVERSE_V2", [narrow, layers.constant("axis", [1])], turned)
    pooled = layers.pool("AVERAGE_POOL_2D", turned, (6, 6), (1, 1), "VALID", "NONE")
    return layers.build(image, layers.dense(layers.reshape(pooled, [1, 8]), 10, per_channel=True))


@dataclass(frozen=True)
class NpuModes:
    """Two modes for the NPU.

    Attributes:
        inputs: uint8[samples, bytes].
        expected: of each mode, what BUILTIN_REF makes of them: uint8[samples, 10].
    """

    folder: Path
    sources: tuple[ModeSource, ...]
    graphs: tuple[Graph, ...]
    modes: tuple[Compiled, ...]
    compiled: tuple[CompiledMode, ...]
    dense: tuple[tuple[Dense, ...], ...]
    relinked: Relinked
    inputs: np.ndarray[tuple[int, int], np.dtype[np.uint8]]
    expected: tuple[np.ndarray[tuple[int, int], np.dtype[np.uint8]], ...]


@pytest.fixture(scope="session")
def npu_modes(tmp_path_factory: pytest.TempPathFactory) -> NpuModes:
    """The two modes; skips where there is no Vela."""
    if missing_packages(["ethos-u-vela"]):
        pytest.skip("needs pip install 'dimmer-nn[npu]'")
    from dimmer.pipeline.conversion.npu.parts import compile_mode

    folder = tmp_path_factory.mktemp("npu")
    sources = write_modes(folder)
    graphs = tuple(read_tflite(source.path) for source in sources)
    modes = tuple(compile_mode(source.name, source.path, NPU, folder) for source in sources)
    compiled = tuple(mode.streams[0] for mode in modes)
    dense = tuple(map(dense_layers, graphs))
    inputs = np.random.default_rng(1).integers(0, 256, (6, 12 * 12 * 3), dtype=np.uint8)
    expected = tuple(
        np.frombuffer(reference_outputs(source.path, inputs.tobytes()), np.uint8).reshape(6, -1) for source in sources
    )
    return NpuModes(folder, sources, graphs, modes, compiled, dense, relink(compiled, dense), inputs, expected)
