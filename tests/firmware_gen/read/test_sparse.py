# SPDX-License-Identifier: Apache-2.0
"""Constants without their zeros: every order, block and type of list, and what contradicts itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.read.flatbuffer import read_flatbuffer
from dimmer.firmware_gen.read.sparse import Level, Sparsity, SparsityError, expanded
from dimmer.firmware_gen.read.tflite import parse_tflite
from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, run_oracle
from tests.firmware_gen.harness import Case, assert_exact, edge_inputs
from tests.firmware_gen.sparse_cases import VECTORS, Encoding, encoded, some, sparse_dense, tiny_sparse, with_zeros
from tests.firmware_gen.tflite_builder import Layers, pack


def test_the_definition_s_own_example() -> None:
    """A matrix of blocks 2x2, its rows of blocks compressed."""
    dense = np.array([[1, 0, 2, 3], [0, 4, 0, 0], [0, 0, 5, 0], [0, 0, 0, 6]], dtype=np.int8)
    levels = (Level(2), Level(0, (0, 2, 3), (0, 1, 1)), Level(2), Level(2))
    kept = bytes([1, 0, 0, 4, 2, 3, 0, 0, 5, 0, 0, 6])
    assert expanded(Sparsity((0, 1, 2, 3), (0, 1), levels), (4, 4), kept, 1) == dense.tobytes()


@pytest.mark.parametrize("vector", VECTORS)
@pytest.mark.parametrize("element", ["int8", "int32"])
def test_any_encoding_gives_the_tensor(vector: str, element: str) -> None:
    random = np.random.default_rng(5)
    for _ in range(60):
        shape = tuple(int(size) for size in random.choice([1, 2, 3, 4, 8], size=int(random.integers(1, 5))))
        dense = with_zeros(random, shape, float(random.uniform(0, 1))).astype(element)
        found, kept = encoded(dense, some(random, shape), vector)
        net = Layers(0)
        x = net.activation([1, 4])
        stored = net.tensor("stored", shape, element, None, 0, 0, kept)
        net.tensors[stored].sparsity = found
        (tensor,) = (t for t in read_flatbuffer(net.build(x, x), "net").tensors if t.name == "stored")
        assert tensor.sparse is not None
        assert tensor.data is not None
        assert expanded(tensor.sparse, shape, tensor.data, dense.itemsize) == dense.tobytes()


PLAIN = Sparsity((0, 1), (), (Level(2), Level(0, (0, 1, 2), (0, 2))))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (replace(PLAIN, order=(0, 0)), "are not its dimensions"),
        (replace(PLAIN, levels=(Level(2),)), "its 1 levels"),
        (replace(PLAIN, blocks=(5,), order=(0, 1, 2), levels=(*PLAIN.levels, Level(1))), "not a different one each"),
        (replace(PLAIN, blocks=(1,), order=(0, 1, 2), levels=(*PLAIN.levels, Level(2))), "is not made of blocks"),
        (replace(PLAIN, levels=(Level(3), PLAIN.levels[1])), "has 3 indices where its dimension has 2"),
        (replace(PLAIN, levels=(Level(2), Level(0, (0, 2), (0, 2)))), "2 segments of 2 indices for 2 places"),
        (replace(PLAIN, levels=(Level(2), Level(0, (0, 3, 2), (0, 2)))), "3 segments of 2 indices"),
        (replace(PLAIN, levels=(Level(2), Level(0, (0, 1, 9), (0, 2)))), "3 segments of 2 indices"),
        (replace(PLAIN, levels=(Level(2), Level(0, (0, 1, 2), (0, 3)))), "outside its dimension of 3"),
        (replace(PLAIN, levels=(Level(2), Level(0, (0, 2, 2), (1, 1)))), "two values in one place"),
        (replace(PLAIN, levels=(Level(2), Level(0, (0, 1, 3), (0, 1, 2)))), "needs 3 values of 1 bytes"),
    ],
)
def test_what_contradicts_itself_is_told(wrong: Sparsity, why: str) -> None:
    with pytest.raises(SparsityError, match=why):
        expanded(wrong, (2, 3), b"\1\2", 1)


def changed(change: Callable[[Any], None]) -> bytes:
    model = schema.ModelT.InitFromPackedBuf(tiny_sparse(), 0)
    change(next(tensor for tensor in model.subgraphs[0].tensors if tensor.sparsity is not None))
    return pack(model)


def shorter_level(tensor: Any) -> None:
    tensor.sparsity.dimMetadata[0].denseSize = 3


def unsigned(tensor: Any) -> None:
    tensor.type = schema.TensorType.UINT8


def no_list(tensor: Any) -> None:
    tensor.sparsity.dimMetadata[1].arrayIndicesType, tensor.sparsity.dimMetadata[1].arrayIndices = 0, None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (shorter_level, "is stored sparse, and a level has 3 indices"),
        (unsigned, "is UINT8 and stored sparse; convert without"),
        (no_list, "has a list of no known type"),
    ],
)
def test_a_file_that_is_wrong_is_refused(change: Callable[[Any], None], why: str) -> None:
    with pytest.raises(FirmwareGenError, match=why):
        parse_tflite(changed(change), "net")


def test_unpacked_weights_are_bit_exact(tmp_path: Path) -> None:
    cases = []
    for seed in range(6):
        net = Layers(seed)
        x = net.activation([1, 16])
        path = tmp_path / f"sparse_{seed}.tflite"
        # What TFLite's own kernel unpacks: blocks innermost, in their order.
        blocks = [{}, {1: 4}, {0: 2, 1: 4}][seed % 3]
        how = Encoding(tuple(range(2 + len(blocks))), blocks, frozenset({1}))
        path.write_bytes(net.build(x, sparse_dense(net, x, 8, how, list(VECTORS)[seed // 2])))
        cases.append(Case(path.stem, path, edge_inputs(path, 3)))
    assert_exact(cases, tmp_path)


def zeros(path: Path, buffer: bool) -> Path:
    """A layer whose weights are zeros, of which its buffer, where there is one, keeps none."""
    net = Layers(0)
    x = net.activation([1, 8], 0.05, 3, "x")
    found, kept = encoded(np.zeros((4, 8), np.int8), Encoding((0, 1), {}, frozenset({1})))
    stored = net.tensor("stored", [4, 8], "int8", 0.01, 0, 0, kept)
    net.tensors[stored].sparsity = found
    if not buffer:
        net.tensors[stored].buffer = 0
    weights = net.operator("DENSIFY", [stored], net.tensor("weights", [4, 8], "int8", 0.01, 0))
    bias = net.tensor("bias", [4], "int32", 0.05 * 0.01, 0, 0, np.array([-900, -1, 400, 2000]))
    y = net.operator("FULLY_CONNECTED", [x, weights, bias], net.activation([1, 4], 0.02, 3, "y"))
    path.write_bytes(net.build(x, y))
    return path


def test_zeros_alone_are_bit_exact(tmp_path: Path) -> None:
    path = zeros(tmp_path / "zeros.tflite", buffer=True)
    assert_exact([Case("zeros", path, edge_inputs(path, 3))], tmp_path)


def test_zeros_without_a_buffer_are_refused_as_by_the_interpreter(tmp_path: Path) -> None:
    path = zeros(tmp_path / "zeros.tflite", buffer=False)
    (failed,) = run_oracle([OracleJob(path, bytes(8))])
    assert isinstance(failed, OracleFailure)
    with pytest.raises(FirmwareGenError, match="it unpacks what is no sparse constant"):
        parse_tflite(path.read_bytes(), "net")


@pytest.mark.slow
def test_what_tensorflow_s_converter_makes_is_bit_exact(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    random = np.random.default_rng(0)
    source = tf.keras.Input((8, 8, 16), batch_size=1)
    pointwise, dense = tf.keras.layers.Conv2D(16, 1), tf.keras.layers.Dense(32)
    y = tf.keras.layers.GlobalAveragePooling2D()(pointwise(source))
    network = tf.keras.Model(source, dense(y))
    for layer, block in ((pointwise, 1), (dense, 16)):
        weights, bias = layer.get_weights()
        keep = np.repeat(random.random((weights.shape[-2] // block, weights.shape[-1])) < 0.2, block, axis=0)
        layer.set_weights([weights * keep, bias])
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT, tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
    converter.representative_dataset = lambda: (
        [random.normal(size=(1, 8, 8, 16)).astype(np.float32)] for _ in range(20)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    path = tmp_path / "sparse.tflite"
    path.write_bytes(converter.convert())
    stored = [tensor for tensor in read_flatbuffer(path.read_bytes(), "net").tensors if tensor.sparse is not None]
    assert {len(tensor.sparse.blocks) for tensor in stored if tensor.sparse is not None} == {0, 1}
    assert_exact([Case("sparse", path, edge_inputs(path, 30))], tmp_path)
