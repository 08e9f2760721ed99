# SPDX-License-Identifier: Apache-2.0
"""Files cut into parts for the NPU and for its core."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.conversion.npu.split import Splitter, ends_of
from dimmer.pipeline.oracle.interpreter import reference_outputs
from tests.firmware_gen.tflite_builder import Layers, pack
from tests.npu import mixed


def test_parts_make_together_what_the_whole_makes(tmp_path: Path) -> None:
    content = mixed()
    splitter = Splitter(content)
    core = [at for at, kind in enumerate(splitter.kinds) if kind in ("MEAN", "REVERSE_V2")]
    cuts = splitter.cut(frozenset(core))
    assert [cut.on_core for cut in cuts] == [False, True, False, True, False]
    assert sorted(at for cut in cuts for at in cut.operators) == list(range(len(splitter.kinds)))
    assert len(cuts[2].inputs) == 2, "of the operator that adds what was before the core"
    whole = tmp_path / "whole.tflite"
    whole.write_bytes(content)
    inputs = np.random.default_rng(1).integers(0, 256, (2, splitter.size(splitter.inputs[0])), dtype=np.uint8)
    values = {splitter.inputs[0]: inputs}
    for number, cut in enumerate(cuts):
        path = tmp_path / f"{number}.tflite"
        path.write_bytes(cut.content)
        given, made = ends_of(cut.content)
        joined = given.gathered([values[value] for value in cut.inputs])
        found = np.frombuffer(reference_outputs(path, joined.tobytes()), np.uint8).reshape(len(inputs), -1)
        values |= dict(zip(cut.outputs, made.apart(found), strict=True))
    expected = np.frombuffer(reference_outputs(whole, inputs.tobytes()), np.uint8).reshape(len(inputs), -1)
    assert np.array_equal(values[splitter.outputs[0]], expected)


def test_what_moves_nothing_is_no_stream_of_its_own() -> None:
    layers = Layers(1)
    x = layers.activation([1, 4, 4, 2])
    flat = layers.reshape(layers.softmax(x), [1, 32])
    splitter = Splitter(layers.build(x, layers.softmax(flat)))
    assert splitter.kinds == ("SOFTMAX", "RESHAPE", "SOFTMAX")
    (cut,) = splitter.cut(frozenset({0, 2}))
    assert (cut.on_core, cut.operators) == (True, (0, 1, 2))


def test_values_of_several_rows_are_handed_to_the_core_as_one() -> None:
    layers = Layers(1)
    x = layers.activation([1, 6, 4])
    rows = layers.reshape(layers.softmax(x), [6, 4])
    splitter = Splitter(layers.build(x, layers.softmax(rows)))
    _, core = splitter.cut(frozenset({2}))
    part = Splitter(core.content)
    assert part.kinds == ("RESHAPE", "SOFTMAX")
    assert (part.size(part.inputs[0]), core.inputs) == (24, (rows,))


def test_wide_values_come_first() -> None:
    layers = Layers(1)
    narrow, wide = layers.activation([1, 3]), layers.tensor("w", [1, 2], "float32")
    narrow_too, out = layers.activation([1, 2]), layers.activation([1, 2])
    layers.operator("QUANTIZE", [wide], narrow_too)
    layers.operator("ADD", [narrow_too, layers.activation([1, 2], name="z")], out)
    inputs, _ = ends_of(pack(layers.model([narrow, wide], [out])))
    assert (inputs.offsets, inputs.sizes) == ((8, 0), (3, 8))
    values = [np.arange(size, dtype=np.uint8)[None] for size in inputs.sizes]
    assert all(map(np.array_equal, inputs.apart(inputs.gathered(values)), values))


def test_a_state_is_one_line() -> None:
    layers = Layers(1)
    x = layers.activation([1, 4])
    layers.tensors[layers.state("state", [1, 4], "int8", 1.0)].isVariable = True
    with pytest.raises(DimmerError, match="it keeps a state"):
        Splitter(layers.build(x, layers.softmax(x)))
