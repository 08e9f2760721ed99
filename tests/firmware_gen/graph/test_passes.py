# SPDX-License-Identifier: Apache-2.0
"""Rewrites: what is folded, what is aliased, what is dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import tables_of
from dimmer.firmware_gen.graph.passes import Network, prepare
from dimmer.firmware_gen.graph.types import Conv2d, Padding
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.read.tflite import parse_tflite
from tests.firmware_gen.tflite_builder import Layers, activation_code, pack


def prepared(net: Layers, source: int, output: int, boundaries: tuple[str, ...] = ()) -> Network:
    return prepare(parse_tflite(net.build(source, output), "net.tflite"), boundaries)


def kinds(network: Network) -> list[list[str]]:
    return [[operator.kind for operator in position] for position in network.positions]


def test_padding_moves_into_the_convolution() -> None:
    net = Layers(0)
    x = net.activation([1, 6, 6, 2])
    y = net.conv(net.pad(x, [(0, 0), (2, 1), (0, 3), (0, 0)]), 3, stride=(2, 2), padding="VALID")
    network = prepared(net, x, y)
    assert kinds(network) == [["CONV_2D"]]
    options = network.positions[0][0].options
    assert isinstance(options, Conv2d)
    assert options.window.padding == Padding(2, 1, 0, 3)


def test_padding_of_channels_stays() -> None:
    net = Layers(0)
    x = net.activation([1, 6, 6, 2])
    assert kinds(prepared(net, x, net.conv(net.pad(x, [(0, 0), (1, 1), (1, 1), (0, 1)]), 3))) == [["PAD", "CONV_2D"]]


def test_padding_that_somebody_else_reads_stays_for_him() -> None:
    net = Layers(0)
    x = net.activation([1, 6, 6, 2])
    padded = net.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    y = net.elementwise("ADD", net.conv(padded, 2), padded)
    network = prepared(net, x, y)
    assert kinds(network) == [["PAD", "CONV_2D", "ADD"]]
    assert network.positions[0][1].inputs[0] == network.graph.input


def test_a_reshape_costs_nothing() -> None:
    net = Layers(0)
    x = net.activation([1, 2, 2, 3])
    network = prepared(net, x, net.dense(net.reshape(x, [1, 12]), 4))
    assert kinds(network) == [["FULLY_CONNECTED"]]
    assert network.storage[network.positions[0][0].inputs[0]] == network.graph.input


def test_a_requantisation_to_the_same_scale_costs_nothing() -> None:
    net = Layers(0)
    x = net.activation([1, 4], 0.1, 3)
    y = net.operator("QUANTIZE", [x], net.activation([1, 4], 0.1, 3, "same"))
    z = net.operator("QUANTIZE", [y], net.activation([1, 4], 0.2, 3, "other"))
    assert kinds(prepared(net, x, z)) == [["QUANTIZE"]]


def test_dead_code_is_dropped() -> None:
    net = Layers(0)
    x = net.activation([1, 4, 4, 2])
    y = net.conv(x, 3)
    net.conv(net.conv(y, 4), 5)
    assert kinds(prepared(net, x, y)) == [["CONV_2D"]]


def test_operators_go_to_the_first_position_that_needs_them() -> None:
    net = Layers(0)
    x = net.activation([1, 4, 4, 2])
    stem = net.conv(x, 3)
    block = net.residual(stem)
    y = net.conv(block, 4)
    names = (net.tensors[stem].name, net.tensors[block].name)
    assert kinds(prepared(net, x, y, names)) == [["CONV_2D"], ["CONV_2D", "CONV_2D", "ADD"], ["CONV_2D"]]


def test_a_repeated_boundary_is_a_skipped_position() -> None:
    net = Layers(0)
    x = net.activation([1, 4, 4, 2])
    stem = net.conv(x, 3)
    name = net.tensors[stem].name
    assert kinds(prepared(net, x, net.conv(stem, 4), (name, name))) == [["CONV_2D"], [], ["CONV_2D"]]


def test_padding_behind_a_boundary_is_folded_and_before_it_is_not() -> None:
    net = Layers(0)
    x = net.activation([1, 4, 4, 2])
    stem = net.conv(x, 3)
    padded = net.pad(stem, [(0, 0), (1, 1), (1, 1), (0, 0)])
    y = net.conv(padded, 4, padding="VALID")
    assert kinds(prepared(net, x, y, (net.tensors[stem].name,))) == [["CONV_2D"], ["CONV_2D"]]
    assert kinds(prepared(net, x, y, (net.tensors[padded].name,))) == [["CONV_2D", "PAD"], ["CONV_2D"]]


def test_modes_of_a_scale_that_cannot_be_computed_with_are_told_as_one_is(tmp_path: Path) -> None:
    net = Layers(1)
    x = net.activation([1, 8], 0.05, 3)
    y = net.tensor("y", [1, 4], "int8", 1e-10, 0)
    net.operator(
        "FULLY_CONNECTED",
        [x, net.weights([4, 8], 0, per_channel=False)],
        y,
        fusedActivationFunction=activation_code("RELU6"),
    )
    files = [tmp_path / "a.tflite", tmp_path / "b.tflite"]
    for file in files:
        file.write_bytes(pack(net.model([x], [y])))
    for modes in (files[:1], files):
        with pytest.raises(
            FirmwareGenError, match=r"a\.tflite: operator 0 FULLY_CONNECTED .*a sum of up to \d+ may overflow"
        ):
            tables_of([ModeSource(file.stem, file) for file in modes], PolicyConfig())
