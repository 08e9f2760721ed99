# SPDX-License-Identifier: Apache-2.0
"""What is told of a model is what the generator makes of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.inspection.facts import AliasFacts
from dimmer.pipeline.inspection.tflite import inspect_model, inspect_modes
from dimmer.targets import Memory, Region, load_target
from tests.firmware_gen.modes import write_modes
from tests.firmware_gen.networks import tiny_mix, tiny_mobile, tiny_resnet
from tests.firmware_gen.tflite_builder import Layers

NETWORKS = {"resnet": tiny_resnet, "mobile": tiny_mobile, "mix": tiny_mix}


def source(folder: Path, data: bytes, name: str = "net") -> ModeSource:
    path = folder / f"{name}.tflite"
    path.write_bytes(data)
    return ModeSource(name, path)


@pytest.mark.parametrize("target", ["host", "mps2-an386", "mps3-an547", "mps2-an385-v6m"])
@pytest.mark.parametrize("name", NETWORKS)
def test_figures_are_the_generator_s(name: str, target: str, tmp_path: Path) -> None:
    chosen = load_target(target)
    mode = source(tmp_path, NETWORKS[name]())
    found = inspect_model(mode, chosen)
    made = generate([mode], tmp_path / "c", scratch_limit=chosen.scratch_limit, core=chosen.core)
    assert found.all_refusals == ()
    assert found.macs == made.macs[0]
    plan = found.plan
    assert plan is not None
    assert (plan.arena, plan.lower_bound, plan.weights) == (made.arena, made.lower_bound, made.weight_bytes)
    assert (plan.parameters, plan.tables) == (made.parameter_bytes, made.table_bytes)
    kernels = {kernel for operator in found.operators for kernel in operator.kernels}
    assert kernels == {step.kernel for step in made.steps if step.layer in {o.output for o in found.operators}}
    assert kernels


def test_slices_that_nothing_copies_are_told(tmp_path: Path) -> None:
    net = Layers(1)
    x = net.activation([1, 4, 1, 16], 0.05, 3, "whole")
    ends = [net.constant("begin", [0, 2, 0, 0]), net.constant("size", [1, 2, 1, 16])]
    part = net.operator("SLICE", [x, *ends], net.activation([1, 2, 1, 16], 0.05, 3, "part"))
    found = inspect_model(source(tmp_path, net.build(x, net.conv(part, 4, (1, 1)))), load_target("host")).plan
    assert found is not None
    at = found.aliases[0].offset - 32
    assert found.aliases == (AliasFacts("net", "part", "whole", at + 32, 32),)
    assert at >= 0


def test_operators_and_tensors(tmp_path: Path) -> None:
    net = Layers(1)
    x = net.activation([1, 8, 8, 3])
    y = net.depthwise(net.conv(x, 4, (3, 3)), 2)
    data = net.build(x, net.dense(net.reshape(y, [1, 512]), 5))
    found = inspect_model(source(tmp_path, data), load_target("host"))
    conv, depthwise, reshape, dense = found.operators
    assert (conv.macs, depthwise.macs, dense.macs) == (8 * 8 * 4 * 27, 8 * 8 * 8 * 9, 512 * 5)
    assert (conv.parameter_bytes, conv.type, conv.quantisation) == (4 * 27 + 16, "int8", "per channel")
    assert (reshape.kind, reshape.macs, reshape.kernels) == ("RESHAPE", 0, ())
    first = found.tensors[found.inputs[0]]
    assert (first.shape, first.type, first.quantisation, first.constant) == ((1, 8, 8, 3), "int8", "per tensor", False)
    assert sum(tensor.bytes for tensor in found.tensors if tensor.constant) >= found.parameter_bytes > 2560


def test_all_reasons_are_told_at_once(tmp_path: Path) -> None:
    net = Layers(0)
    y = x = net.activation([1, 4, 4, 2])
    for kind in ("ELU", "COS"):
        y = net.same(kind, y, [1, 4, 4, 2])
    state = net.tensor("state\nof", [1, 4, 4, 2], "float32")
    y = net.operator("ADD", [y, state], net.activation([1, 4, 4, 2], name="sum"), fusedActivationFunction=0)
    found = inspect_model(source(tmp_path, net.build(x, y)), load_target("host"))
    assert [bool(operator.refusals) for operator in found.operators] == [True, True, True]
    assert "quantise the network to int8" in found.operators[2].refusals[0]
    assert found.plan is None
    assert all("\n" not in text for text in (*found.all_refusals, *(tensor.name for tensor in found.tensors)))


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    board = load_target("mps2-an386")
    mode = source(tmp_path, tiny_resnet())
    small = dataclasses.replace(board, memory=Memory(Region(0, 200), Region(1 << 29, 100)))
    arena, flash = inspect_model(mode, small).refusals
    assert "has 100 of RAM; try a smaller input or network or another target" in arena
    assert "has 200 of flash; try" in flash
    apart = dataclasses.replace(
        board, memory=Memory(Region(0, 200), Region(1 << 29, 1 << 20), weights=Region(1 << 28, 100))
    )
    weights, tables = inspect_model(mode, apart).refusals
    assert "has 100 of flash for weights; try" in weights
    assert "has 200 of flash for what is no weight; try" in tables
    (scratch,) = inspect_model(mode, dataclasses.replace(board, scratch_limit=0)).refusals
    assert "bytes of scratch, the limit is 0; raise the limit or use smaller layers" in scratch
    assert "is given twice; name each file once" in inspect_modes([mode, dataclasses.replace(mode)], board).refusals[0]


def test_modes_share(tmp_path: Path) -> None:
    modes = write_modes(tmp_path)
    together = inspect_modes(modes, load_target("host")).plan
    alone = inspect_model(modes[0], load_target("host")).plan
    assert together is not None
    assert alone is not None
    assert together.modes == tuple(mode.name for mode in modes)
    assert together.weights == alone.weights
    assert together.flash_needed > alone.flash_needed


def test_damaged_files_are_refused_in_one_way(tmp_path: Path) -> None:
    """Bytes changed anywhere: told as refusals or as one error, never otherwise."""
    whole = np.frombuffer(tiny_resnet(), np.uint8)
    random = np.random.default_rng(5)
    host = load_target("host")
    outcomes: set[bool | None] = set()
    for _ in range(150):
        data = whole.copy()
        data[random.integers(0, len(data), 12)] = random.integers(0, 256, 12)
        try:
            outcomes.add(bool(inspect_model(source(tmp_path, data.tobytes()), host).all_refusals))
        except FirmwareGenError:
            outcomes.add(None)
    assert outcomes >= {True, None}
