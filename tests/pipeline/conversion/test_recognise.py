# SPDX-License-Identifier: Apache-2.0
"""Tensors of a converted file are recognised by value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from dimmer.errors import DimmerError
from dimmer.pipeline.conversion.recognise import recognise
from tests.firmware_gen.tflite_builder import TfliteBuilder, window_options

Array = np.ndarray[Any, np.dtype[Any]]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A float network: border, convolution, reshape, dense layer."""
    net, random = TfliteBuilder(), np.random.default_rng(0)
    x = net.tensor("x", [1, 4, 4, 2], "float32")
    padded = net.tensor("padded", [1, 6, 6, 2], "float32")
    net.operator("PAD", [x, net.constant("paddings", [(0, 0), (1, 1), (1, 1), (0, 0)])], padded)
    weights = net.constant("weights", random.normal(size=(3, 3, 3, 2)), "float32")
    bias = net.constant("bias", random.normal(size=3), "float32")
    options = window_options((1, 1), (1, 1), "VALID", "RELU")
    conv = net.operator("CONV_2D", [padded, weights, bias], net.tensor("conv", [1, 4, 4, 3], "float32"), **options)
    flat = net.tensor("flat", [1, 48], "float32")
    net.operator("RESHAPE", [conv, net.constant("shape", [1, 48])], flat, newShape=[1, 48])
    dense = net.constant("dense", random.normal(size=(5, 48)), "float32")
    y = net.operator("FULLY_CONNECTED", [flat, dense, -1], net.tensor("y", [1, 5], "float32"))
    path = tmp_path / "network.float.tflite"
    path.write_bytes(net.build(x, y))
    return path


@pytest.fixture
def sites(model: Path) -> dict[str, Array]:
    """What torch would have computed: the interpreter's own values, channels first."""
    image = np.random.default_rng(1).normal(size=(1, 4, 4, 2)).astype(np.float32)
    interpreter = Interpreter(
        str(model), experimental_preserve_all_tensors=True, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    values = {detail["name"]: interpreter.get_tensor(detail["index"]) for detail in interpreter.get_tensor_details()}
    return {"input": np.moveaxis(image, -1, 1), "stem": np.moveaxis(values["conv"], -1, 1), "logits": values["y"]}


def test_every_tensor_gets_its_site_and_what_keeps_values_that_of_its_source(
    model: Path, sites: dict[str, Array]
) -> None:
    assert recognise(model, sites) == {
        "x": "input",
        "padded": "input",
        "conv": "stem",
        "flat": "stem",
        "y": "logits",
    }


def test_rounding_of_another_library_is_forgiven_and_a_changed_graph_is_not(
    model: Path, sites: dict[str, Array]
) -> None:
    scale = float(np.abs(sites["stem"]).max())
    close = {**sites, "stem": sites["stem"] + np.float32(1e-3 * scale)}
    assert recognise(model, close) == recognise(model, sites)
    other = {**sites, "stem": sites["stem"] + np.float32(1e-2 * scale)}
    with pytest.raises(
        DimmerError, match=r"network\.float\.tflite: tensor 'conv' \(CONV_2D, \(1, 4, 4, 3\)\) is none of the network's"
    ):
        recognise(model, other)


def test_an_image_of_another_shape_is_refused(model: Path, sites: dict[str, Array]) -> None:
    with pytest.raises(DimmerError, match=r"input is \(1, 4, 4, 2\), not \(1, 5, 4, 2\) as exported"):
        recognise(model, {**sites, "input": np.zeros((1, 2, 5, 4), np.float32)})
