# SPDX-License-Identifier: Apache-2.0
"""Which operators are read, and what is said about the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dimmer.firmware_gen.graph.types import Activation, AveragePool2d, MaxPool2d, Relu
from dimmer.firmware_gen.read.tflite import parse_tflite
from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, run_oracle
from tests.firmware_gen.networks import tiny_mix, tiny_mobile
from tests.firmware_gen.read.damaged import changed, refusal, set_operator, single
from tests.firmware_gen.tflite_builder import Layers


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        ("ELU", "TFLite's reference kernels have none either; train with RELU6"),
        ("SUM", "TFLite's reference kernel misreads codes below 0; use MEAN"),
        ("DENSIFY", "what is no sparse constant; convert without Optimize.EXPERIMENTAL_SPARSITY"),
        ("WHILE", "unroll it before the conversion"),
        ("IF", "export the branch that you deploy"),
        ("CUMSUM", "build that part"),
    ],
)
def test_unsupported_operators_are_named_with_what_would_do(kind: str, advice: str) -> None:
    message = refusal(single(kind))
    assert f"operator 0 {kind} (y) is not supported" in message
    assert advice in message


@pytest.mark.slow
def test_what_is_said_of_the_reference_kernels_is_true(tmp_path: Path) -> None:
    """ELU ends the interpreter, and of SUM only codes from 0 on are right."""
    net = Layers(0)
    x = net.activation([1, 4], 0.5, 0)
    output = net.activation([1], 1.0, 0, "y")
    net.operator("SUM", [x, net.constant("axis", [1])], output, keepDims=False)
    whole, elu = tmp_path / "sum.tflite", tmp_path / "elu.tflite"
    whole.write_bytes(net.build(x, output))
    elu.write_bytes(single("ELU"))
    codes = np.array([[2, 4, 6, 8], [2, 4, 6, -8]], np.int8)
    found, died = run_oracle([OracleJob(whole, codes.tobytes()), OracleJob(elu, bytes(32))])
    assert isinstance(died, OracleFailure)
    assert isinstance(found, bytes)
    right, wrong = np.frombuffer(found, np.int8)
    assert right == 10
    assert wrong != 2


def test_an_operator_of_its_maker_s_own_is_told() -> None:
    message = refusal(single("CUSTOM"))
    assert "operator 0 CUSTOM (y) is " in message
    assert "an operator of its maker's own; convert with built-in operators only" in message


def test_an_operator_has_one_output() -> None:
    assert "operator 0 CONV_2D has 2 outputs, expected 1" in refusal(changed(set_operator(0, outputs=[3, 4])))


def test_kinds_become_options_of_their_own() -> None:
    mobile, mix = (parse_tflite(data, "net.tflite").operators for data in (tiny_mobile(), tiny_mix()))
    assert [type(operator.options).__name__ for operator in mobile] == [
        *("Pad", "Conv2d", "DepthwiseConv2d", "Conv2d", "Mean", "Logistic"),
    ]
    assert [type(operator.options).__name__ for operator in mix] == [
        *("Quantize", "MaxPool2d", "Conv2d", "Concatenation", "Transpose", "Mul", "Sub", "Relu", "Dequantize"),
    ]


@pytest.mark.parametrize("name", ["RELU", "RELU6", "RELU_N1_TO_1"])
def test_activations_of_their_own_keep_their_clamp(name: str) -> None:
    (operator,) = parse_tflite(single(name), "net.tflite").operators
    assert operator.options == Relu(Activation(name))


@pytest.mark.parametrize(("kind", "options"), [("AVERAGE_POOL_2D", AveragePool2d), ("MAX_POOL_2D", MaxPool2d)])
def test_pools_are_told_apart(kind: str, options: type) -> None:
    window: dict[str, Any] = {"filterHeight": 2, "filterWidth": 2, "strideH": 1, "strideW": 1}
    # TFLite pools the codes, whatever the scales.
    for rescales in (True, False):
        (operator,) = parse_tflite(single(kind, rescales=rescales, **window), "net.tflite").operators
        assert isinstance(operator.options, options)
