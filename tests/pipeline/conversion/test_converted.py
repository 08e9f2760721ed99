# SPDX-License-Identifier: Apache-2.0
"""Export and conversion: ordinary .tflite files with shared weights and our own ranges."""

import json

import numpy as np
import pytest

from dimmer.pipeline.artifacts.converted import mode_sources
from tests.tiny import TinyBuild

pytestmark = pytest.mark.xdist_group("tiny")


def interpreter(content: bytes):  # type: ignore[no-untyped-def]
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    loaded = Interpreter(model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    loaded.allocate_tensors()
    return loaded


def run(content: bytes, image: np.ndarray) -> np.ndarray:
    loaded = interpreter(content)
    loaded.set_tensor(loaded.get_input_details()[0]["index"], image)
    loaded.invoke()
    return np.asarray(loaded.get_tensor(loaded.get_output_details()[0]["index"])).reshape(-1)


IMAGE = np.random.default_rng(0).integers(-128, 128, (1, 28, 28, 1), dtype=np.int8)


def test_modes_json_tells_positions_and_boundaries(tiny_converted: TinyBuild) -> None:
    contents = json.loads((tiny_converted.build / "convert" / "modes.json").read_text())
    assert contents["positions"] == ["stem", "0.0", "0.1", "1.0", "1.1", "head"]
    assert contents["modes"][-1]["boundaries"] == ["stem", "0.0.out", "0.0.out", "1.0.out", "1.0.out"]


def test_weights_of_all_modes_are_equal(tiny_converted: TinyBuild) -> None:
    weights: dict[str, bytes] = {}
    shared = 0
    for source in mode_sources(tiny_converted.build / "convert"):
        loaded = interpreter(source.path.read_bytes())
        for detail in loaded.get_tensor_details():
            if detail["name"].endswith("/weights"):
                data = loaded.get_tensor(detail["index"]).tobytes()
                shared += detail["name"] in weights
                assert weights.setdefault(detail["name"], data) == data
    assert shared >= 8
