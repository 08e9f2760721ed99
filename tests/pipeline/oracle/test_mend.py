# SPDX-License-Identifier: Apache-2.0
"""Files of old converters that name dimensions out of range."""

from __future__ import annotations

from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.read.tflite import parse_tflite
from dimmer.pipeline.oracle.interpreter import OracleJob, run_oracle
from dimmer.pipeline.oracle.mend import mended, mending
from tests.firmware_gen.networks import tiny_resnet
from tests.firmware_gen.tflite_builder import pack


def with_axes(axis: int) -> bytes:
    """Every tensor of one scale, and every bias, names a dimension."""
    model = schema.ModelT.InitFromPackedBuf(tiny_resnet(), 0)
    for tensor in model.subgraphs[0].tensors:
        found = tensor.quantization
        if found is not None and (len(found.scale) == 1 or tensor.type == schema.TensorType.INT32):
            found.quantizedDimension = axis
    return pack(model)


def test_an_unused_dimension_does_not_matter(tmp_path: Path) -> None:
    plain, odd = tmp_path / "plain.tflite", tmp_path / "odd.tflite"
    plain.write_bytes(tiny_resnet())
    odd.write_bytes(with_axes(7))
    inputs = bytes(range(192))
    expected, found = run_oracle([OracleJob(plain, inputs), OracleJob(odd, inputs)])
    assert isinstance(expected, bytes)
    assert found == expected
    assert parse_tflite(odd.read_bytes(), "net.tflite") == parse_tflite(plain.read_bytes(), "net.tflite")
    assert mending(odd) == (
        "odd.tflite: names unused dimensions out of range, which the interpreter refuses; mended while reading\n"
    )
    assert mending(plain) == mending(tmp_path / "none.tflite") == ""


@pytest.mark.parametrize("data", [b"", b"not a file", tiny_resnet()[:200], tiny_resnet()], ids=len)
def test_anything_else_stays_as_it_is(data: bytes) -> None:
    assert mended(data) == data


def test_a_dimension_that_matters_is_not_guessed() -> None:
    model = schema.ModelT.InitFromPackedBuf(tiny_resnet(), 0)
    weights = next(
        t
        for t in model.subgraphs[0].tensors
        if t.quantization is not None and len(t.shape) == 4 and len(t.quantization.scale) > 1
    )
    weights.quantization.quantizedDimension = 9
    data = pack(model)
    assert mended(data) == data
