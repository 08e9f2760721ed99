# SPDX-License-Identifier: Apache-2.0
"""Layers that keep something from one inference to the next, with random shapes and parameters."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from tests.firmware_gen.move_cases import Build, pick, size
from tests.firmware_gen.tflite_builder import Layers


def lstm(net: Layers) -> tuple[int, int]:
    steps, depth, cells = size(net, 1, 6), size(net, 1, 20), size(net, 1, 12)
    x = net.activation([1, steps, depth], float(net.random.uniform(0.01, 0.05)))
    weights = [net.weights([cells, width], 0, per_channel=False) for width in (depth,) * 4 + (cells,) * 4]
    biases = [net.bias(cells) for _ in range(4)]
    scale, zero_point = float(net.random.uniform(0.004, 0.012)), int(pick(net, 0, 0, size(net, -128, 127)))
    states = [
        net.state("h", [1, cells], "int8", scale, zero_point),
        net.state("c", [1, cells], "int16", 2.0 ** -size(net, 9, 15)),
    ]
    output = net.tensor("y", [1, steps, cells], "int8", scale, zero_point)
    inputs = [x, *weights, -1, -1, -1, *biases, -1, -1, *states, *pick(net, [], [-1] * 4)]
    net.operator(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        inputs,
        output,
        fusedActivationFunction=schema.ActivationFunctionType.TANH,
        cellClip=float(pick(net, 0.0, 0.0, 1.0)),
    )
    within = [net.tensor(f"gate_{n}", [0], "float32") for n in range(4)]
    hidden = net.tensor("hidden", [0], "int8", scale * float(pick(net, 1.0, 1.3)), int(pick(net, 0, size(net, -9, 9))))
    net.operators[-1].intermediates = [*within, hidden]
    return x, output


def svdf(net: Layers) -> tuple[int, int]:
    rank, units, memory, depth = size(net, 1, 3), size(net, 1, 9), size(net, 1, 8), size(net, 1, 30)
    x = net.activation([1, depth])
    features = net.weights([units * rank, depth], 0, per_channel=False)
    values = net.random.integers(-32767, 32768, size=(units * rank, memory))
    times = net.tensor("times", [units * rank, memory], "int16", float(net.random.uniform(1e-5, 1e-4)), 0, 0, values)
    bias = net.bias(units) if pick(net, True, False) else -1
    scale = net.scale_of(x) * net.scale_of(features) * float(net.random.uniform(2, 30))
    state = net.state("state", [1, units * rank * memory], "int16", scale)
    output = net.activation([1, units], scale * net.scale_of(times) * float(net.random.uniform(1e6, 1e7)), name="y")
    activation = schema.ActivationFunctionType.RELU
    net.operator("SVDF", [x, features, times, bias, state], output, rank=rank, fusedActivationFunction=activation)
    return x, output


RECURRENT: dict[str, tuple[Build, int]] = {"lstm": (lstm, 12), "svdf": (svdf, 10)}
