# SPDX-License-Identifier: Apache-2.0
"""A mode as ONNX with its scales."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.tvm.qdq import write_qdq
from tests.firmware_gen.modes import write_modes


def test_onnx_with_scales_gives_the_same_codes_but_for_rounding(tmp_path: Path) -> None:
    ort = pytest.importorskip("onnxruntime")
    plain = ort.SessionOptions()
    # As the file says it, in float between the scales: on a processor without VNNI onnxruntime's integer kernels
    # saturate where two products do not fit 16 bits.
    plain.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    for mode in write_modes(tmp_path):
        graph = read_tflite(mode.path)
        write_qdq(graph, tmp_path / "mode.onnx")
        session = ort.InferenceSession(str(tmp_path / "mode.onnx"), plain, providers=["CPUExecutionProvider"])
        source, result = graph.tensors[graph.input], graph.tensors[graph.output]
        inputs = np.random.default_rng(1).integers(-128, 128, (20, *source.shape), np.int8)
        expected = np.frombuffer(reference_outputs(mode.path, inputs.tobytes()), np.int8).reshape(20, -1)
        real = ((inputs.astype(np.float32) - source.q.zero_point) * np.float32(source.q.scale)).astype(np.float32)
        got = np.stack([session.run(None, {"image": image})[0].reshape(-1) for image in real])
        codes = np.round(got / result.q.scale) + result.q.zero_point
        assert np.abs(codes - expected).max() <= 2
