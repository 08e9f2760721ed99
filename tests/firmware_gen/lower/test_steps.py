# SPDX-License-Identifier: Apache-2.0
"""A step is what its record holds; what it reads and writes follows."""

from __future__ import annotations

from typing import Any

import pytest

from dimmer.firmware_gen.lower.steps import Buffer, Step, Weights, step
from tests.firmware_gen.lower.lowered import only
from tests.firmware_gen.tflite_builder import Layers


def lookup(layer: str, **fields: Any) -> Step:
    """A step of a kernel with the fields input, output, elements and table."""
    net = Layers(0)
    x = net.activation([1, 4])
    kernel = only(net, x, net.operator("LOGISTIC", [x], net.activation([1, 4], 1 / 256, -128, "y"))).kernel
    assert [item.name for item in kernel.fields] == ["input", "output", "elements", "table"]
    return step(kernel, layer, **fields)


FIELDS: dict[str, Any] = {
    "input": Buffer(3, 8),
    "output": Buffer(4),
    "elements": 5,
    "table": Weights(bytes(256), (256,)),
}


def test_buffers_say_what_is_read_and_written() -> None:
    made = lookup("y", **FIELDS)
    assert (made.reads, made.writes) == ((3,), 4)
    assert made.fields == FIELDS


def test_a_buffer_that_is_read_twice_counts_once() -> None:
    net = Layers(0)
    x = net.activation([1, 4])
    assert only(net, x, net.elementwise("MUL", x, x)).reads == (0,)


def test_reserved_fields_are_zero() -> None:
    net = Layers(0)
    x = net.activation([1, 4])
    made = only(net, x, net.elementwise("ADD", x, x))
    assert made.fields["reserved"] == (0, 0, 0)


def test_fields_that_the_record_lacks_are_refused() -> None:
    with pytest.raises(TypeError, match="has no field lamp"):
        lookup("y", lamp=1, **FIELDS)
    with pytest.raises(TypeError, match="has no field output"):
        lookup("y", **FIELDS | {"output": 7})
    with pytest.raises(KeyError, match="elements"):
        lookup("y", **{name: value for name, value in FIELDS.items() if name != "elements"})


def test_steps_that_compute_the_same_are_equal_whatever_their_layers_are_called() -> None:
    one, other = lookup("one", **FIELDS), lookup("other", **FIELDS)
    assert one == other
    assert one != lookup("one", **FIELDS | {"elements": 6})
