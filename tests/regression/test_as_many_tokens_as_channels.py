# SPDX-License-Identifier: Apache-2.0
"""64 tokens of 64 channels: the converter transposed the wrong axis of linear layers and computed something else.

Nothing said so but the values. Here linear layers are convolutions, of which it transposes nothing; and a graph in
which an axis was taken for another is refused, where sizes cannot tell them apart.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.exported import Exported
from dimmer.pipeline.conversion.recognise import recognise
from dimmer.pipeline.networks.families.vit_config import ViTConfig
from tests.firmware_gen.tflite_builder import TfliteBuilder
from tests.pipeline.networks.families import road

SQUARE = ViTConfig((1,), (1,), (64,), 2, 1, (16, 16), 4, patch=2)
"""8 x 8 positions of 64 channels."""


def test_an_axis_that_was_taken_for_another_is_refused(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    x, weights = random.normal(size=(8, 8)).astype(np.float32), random.normal(size=(8, 8)).astype(np.float32)
    net = TfliteBuilder()
    given = net.tensor("x", [8, 8], "float32")
    constant = net.constant("weights", weights, "float32")
    made = net.operator("FULLY_CONNECTED", [given, constant, -1], net.tensor("y", [8, 8], "float32"))
    path = tmp_path / "network.float.tflite"
    path.write_bytes(net.build(given, made))
    assert recognise(path, {"input": x, "logits": x @ weights.T}) == {"x": "input", "y": "logits"}
    for wrong in (x @ weights, (x @ weights.T).T, x.T @ weights.T):
        with pytest.raises(DimmerError, match="is none of the network's sites"):
            recognise(path, {"input": x, "logits": wrong})


@pytest.mark.slow
def test_a_vit_of_as_many_tokens_as_channels_is_converted_as_it_is(tmp_path: Path) -> None:
    from dimmer.pipeline.conversion.float_model import float_models
    from dimmer.pipeline.conversion.onnx import export_mode

    net = road.network("vit", SQUARE)
    export_mode(net, "88", {}, tmp_path)
    float_models([tmp_path / "88.onnx"], tmp_path)
    found = recognise(tmp_path / "88.float.tflite", Exported.load(tmp_path, "88").sites)
    # Query, key and value are layers of their own.
    assert {f"0.{b}.{name}" for b in (0, 1) for name in ("query", "key", "value")} <= set(found.values())
