# SPDX-License-Identifier: Apache-2.0
"""What quantising costs, by numbers that can be reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dimmer.pipeline.conversion.given import compared
from tests.firmware_gen.tflite_builder import Layers, pack


def rows(*values: list[float]) -> list[list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]]:
    return [[np.array([value], np.float32)] for value in values]


def test_cost() -> None:
    exact, found = rows([0.0, 2.0], [4.0, 0.0]), rows([0.0, 2.0], [1.0, 3.0])
    cost = compared.cost_of(exact, found, np.array([1, 0]), apart=True)
    assert (cost.samples, cost.apart, cost.agreement, cost.accuracy_float, cost.accuracy) == (2, True, 0.5, 1.0, 0.5)
    assert (cost.mean_error, cost.largest_error) == (1.5, 3.0)
    assert cost.sqnr_db == pytest.approx(10 * np.log10(20 / 18))


def test_labels_that_are_none_of_the_outputs_are_not_counted() -> None:
    both = rows([0.0, 2.0])
    assert compared.cost_of(both, both, np.array([2]), apart=False).accuracy is None
    one = rows([1.0])
    assert compared.cost_of(one, one, np.array([0]), apart=False).agreement is None


def test_codes_and_back() -> None:
    net = Layers(0)
    x = net.activation([1, 4], 0.5, 3)
    content = net.build(x, net.same("RESHAPE", x, [1, 4], [net.constant("shape", [1, 4])]))
    values = np.array([[0.0, 0.24, -1.0, 1000.0]], np.float32)
    inputs = compared.quantised_inputs(content, [[values]])
    assert inputs[0][0].tolist() == [[3, 3, 1, 127]]
    assert compared.joined(inputs) == bytes([3, 3, 1, 127])
    assert compared.int8_outputs(content, inputs)[0][0].tolist() == [[0.0, 0.0, -1.0, 62.0]]


def test_numbers_and_flags_are_taken_as_they_are() -> None:
    net = Layers(0)
    words, flags = net.tensor("words", [1, 3], "int32"), net.tensor("flags", [1, 3], "bool")
    codes = net.activation([1, 3], 0.5, 3)
    outputs = [net.operator("CAST", [words], net.tensor("w", [1, 3], "float32"))]
    outputs.append(net.operator("LOGICAL_NOT", [flags], net.tensor("f", [1, 3], "bool")))
    outputs.append(net.same("RESHAPE", codes, [1, 3], [net.constant("shape", [1, 3])]))
    content = pack(net.model([flags, codes, words], outputs))
    sample = [np.array([row], np.float32) for row in ([1, 0, 1], [0.5, -1, 1000], [-2, 300, 70000])]
    inputs = compared.quantised_inputs(content, [sample])
    assert [part.tolist() for part in inputs[0]] == [[[True, False, True]], [[4, 1, 127]], [[-2, 300, 70000]]]
    assert compared.joined(inputs) == np.array([-2, 300, 70000], "<i4").tobytes() + bytes([1, 0, 1, 4, 1, 127])


def test_wide_parts_come_first() -> None:
    narrow, wide = np.array([1], np.int8), np.array([2], np.int16)
    assert compared.joined([[narrow, wide]]) == bytes([2, 0, 1])
