# SPDX-License-Identifier: Apache-2.0
"""Records of layers that keep something."""

from __future__ import annotations

import numpy as np

from dimmer.firmware_gen.kernels.recurrent import LSTM, SVDF
from dimmer.firmware_gen.lower.steps import Params, Weights
from tests.firmware_gen.lower.lowered import lowered, values
from tests.firmware_gen.recurrent_cases import lstm, svdf
from tests.firmware_gen.tflite_builder import Layers


def test_the_gates_of_a_cell_lie_side_by_side() -> None:
    net = Layers(3)
    *begins, step = lowered(net, *lstm(net))
    assert step.kernel is LSTM
    # Its states are set before the first inference.
    assert [begin.layer for begin in begins] == ["h", "c"]
    given = [net.buffers[net.tensors[index].buffer].data.view(np.int8) for index in net.operators[0].inputs[1:5]]
    cells, depth = net.shape(net.operators[0].inputs[1])
    weights, bias = step.fields["input_weights"], step.fields["input_bias"]
    assert isinstance(weights, Weights)
    assert isinstance(bias, Params)
    assert weights.shape == (cells, 4, depth)
    assert weights.data[depth : 2 * depth] == given[1][:depth].tobytes()
    assert len(bias.values) == 4 * cells
    assert step.macs == net.shape(net.operators[0].inputs[0])[1] * 4 * cells * (depth + cells)


def test_the_features_take_the_zero_point_into_a_bias() -> None:
    net = Layers(1)
    x, output = svdf(net)
    *_, step = lowered(net, x, output)
    assert step.kernel is SVDF
    features = net.buffers[net.tensors[net.operators[0].inputs[1]].buffer].data.view(np.int8).astype(int)
    filters = net.shape(net.operators[0].inputs[1])[0]
    sums = features.reshape(filters, -1).sum(axis=1)
    assert step.fields["feature_bias"] == Params(tuple((-net.zero_point_of(x) * sums).tolist()))
    assert values(step, "units", "inputs") == (net.shape(output)[1], net.shape(x)[1])
