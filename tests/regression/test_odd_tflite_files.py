# SPDX-License-Identifier: Apache-2.0
"""Files that were refused wrongly, or by a line that helped nobody: each ends in exact code or in one true line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import tables_of
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.oracle.interpreter import OracleJob, run_oracle
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from tests.firmware_gen.harness import Case, assert_exact, edge_inputs
from tests.firmware_gen.networks import tiny_resnet
from tests.firmware_gen.read.damaged import changed, refusal, set_tensor
from tests.firmware_gen.tflite_builder import Layers, pack, window_options


def long_flatten(net: Layers) -> tuple[int, int]:
    x = net.activation([1, 8, 100, 100], 0.1, 0)
    flat = net.reshape(x, [1, 80_000])
    return x, net.operator("RELU", [flat], net.activation([1, 80_000], 0.05, 0, "y"))


def reshape_one_ulp_off(net: Layers) -> tuple[int, int]:
    x = net.activation([1, 4, 5], 0.1, 3)
    near = float(np.nextafter(np.float32(0.1), np.float32(1)))
    y = net.operator("RESHAPE", [x, net.constant("s", [1, 20])], net.activation([1, 20], near, 3, "y"))
    return x, net.elementwise("ADD", y, y)


def pool_of_another_scale(net: Layers) -> tuple[int, int]:
    x = net.activation([1, 4, 4, 3], 0.1, 3)
    window = {"filterHeight": 2, "filterWidth": 2, "strideH": 2, "strideW": 2, "padding": 1}
    return x, net.operator("AVERAGE_POOL_2D", [x], net.activation([1, 2, 2, 3], 0.13, -7, "y"), **window)


def softmax_about_1_256(net: Layers) -> tuple[int, int]:
    x = net.activation([1, 10], 0.1, 3)
    return x, net.operator("SOFTMAX", [x], net.activation([1, 10], 1.0005 / 256, -128, "y"), beta=1.0)


def bias(value: int) -> Any:
    def build(net: Layers) -> tuple[int, int]:
        x, weights = net.activation([1, 4, 4, 2], 0.1, 0), net.weights([3, 1, 1, 2], 0)
        values = net.tensor("b", [3], "int32", [1e-4] * 3, 0, 0, np.array([value, -value, 5]))
        output = net.activation([1, 4, 4, 3], 0.1, 0, "y")
        return x, net.operator(
            "CONV_2D", [x, weights, values], output, **window_options((1, 1), (1, 1), "SAME", "NONE")
        )

    return build


BUILDS = (long_flatten, reshape_one_ulp_off, pool_of_another_scale, softmax_about_1_256, bias(2**31 - 100_000))


def test_they_are_exact(tmp_path: Path) -> None:
    cases = []
    for number, build in enumerate(BUILDS):
        net = Layers(number)
        path = tmp_path / f"odd_{number}.tflite"
        path.write_bytes(net.build(*build(net)))
        cases.append(Case(path.stem, path, edge_inputs(path, 2)))
    assert_exact(cases, tmp_path)


def custom(name: str) -> bytes:
    model = schema.ModelT.InitFromPackedBuf(tiny_resnet(), 0)
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.customCode = schema.BuiltinOperator.CUSTOM, 32, name
    model.operatorCodes.append(code)
    operator = model.subgraphs[0].operators[0]
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.builtinOptions, operator.builtinOptionsType = None, 0
    return pack(model)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            custom("edgetpu-custom-op"),
            "is edgetpu-custom-op, code that edgetpu_compiler made and only an Edge TPU runs",
        ),
        (custom("ethos-u"), "is ethos-u, a command stream that Vela made and only an Ethos-U runs; give the file that"),
        (custom("FlexErf"), "is FlexErf, an operator of TensorFlow itself; convert without SELECT_TF_OPS"),
        (custom("own"), "is own, an operator of its maker's own; convert with built-in operators only"),
        (changed(lambda model: setattr(model, "version", 2)), "schema version 2, which no interpreter reads"),
        (changed(set_tensor("x", shape=[4, 8, 8, 3])), "the input x has a batch of 4, a firmware takes one at a time"),
        (
            changed(set_tensor("weights_1", sparsity=schema.SparsityParametersT())),
            "tensor weights_1 is stored sparse, and its 0 levels in the order [] are not its dimensions",
        ),
    ],
    ids=("edge_tpu", "ethos_u", "flex", "own", "version", "batch", "sparse"),
)
def test_one_line_says_what_to_do(data: bytes, message: str) -> None:
    assert message in refusal(data)


def test_the_file_is_named_once(tmp_path: Path) -> None:
    net = Layers(0)
    path = tmp_path / "near.tflite"
    path.write_bytes(net.build(*bias(2**31 - 1000)(net)))
    with pytest.raises(FirmwareGenError, match=r"^near.tflite: operator 0 CONV_2D \(y\): a sum of up to"):
        tables_of([ModeSource("near", path)], PolicyConfig())


def test_samples_do_not_stop_the_interpreter(tmp_path: Path) -> None:
    net = Layers(0)
    x = net.activation([1, 1000], 1.5, 3)
    path = tmp_path / "many.tflite"
    path.write_bytes(
        net.build(x, net.operator("SOFTMAX", [x], net.activation([1, 1000], 1 / 256, -128, "y"), beta=1.0))
    )
    samples = sample_inputs(path, 6)
    assert len(samples) == 12_000
    (answer,) = run_oracle([OracleJob(path, samples)])
    assert isinstance(answer, bytes)
    # An input of one value does.
    (answer,) = run_oracle([OracleJob(path, bytes(1000))])
    assert not isinstance(answer, bytes)
