# SPDX-License-Identifier: Apache-2.0
"""Files that were never quantised are refused once, with the command that quantises them."""

from __future__ import annotations

from pathlib import Path

from dimmer.firmware_gen.read.floats import is_float
from dimmer.firmware_gen.read.tflite import survey_tflite
from tests.firmware_gen.networks import tiny_ends
from tests.firmware_gen.read.damaged import refusal
from tests.firmware_gen.tflite_builder import pack
from tests.pipeline.conversion.given.networks import float_model, float_tflite, hybrid_tflite, written

COMMAND = "type: dimmer firmware --tflite net.tflite --calibration DATA (an .npz, an .npy or a folder of samples)"


def test_float_and_hybrid() -> None:
    assert refusal(float_tflite()) == f"net.tflite: is a network of float32; {COMMAND}"
    model = float_model()
    graph = model.subgraphs[0]
    hybrid = refusal(hybrid_tflite())
    assert hybrid == f"net.tflite: is hybrid, its weights are int8 and its activations float32; {COMMAND}"
    assert len(graph.operators) > 1
    _, read, refusals = survey_tflite(pack(model), "net.tflite")
    assert read is None
    assert len(refusals) == 1


def test_float_ends_are_no_float_network(tmp_path: Path) -> None:
    assert not is_float(written(tmp_path, tiny_ends()))
    assert is_float(written(tmp_path, float_tflite()))
