# SPDX-License-Identifier: Apache-2.0
"""What a tensor can hold was proven from its own mode alone: a kernel for narrow inputs then read, behind a switch
within an inference, the wider codes of another mode's block.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dimmer.firmware_gen.graph.ranges import code_range
from dimmer.firmware_gen.read.modes import ModeSource, read_modes
from dimmer.pipeline.oracle.interpreter import OracleJob, run_oracle
from tests.firmware_gen.harness import Case, edge_inputs, mismatches, run_cases
from tests.firmware_gen.tflite_builder import Layers, window_options


def modes(folder: Path) -> tuple[ModeSource, ...]:
    """Two that differ in what the first block leaves: one clamps its codes to 0..15 above the zero point."""
    made = []
    for name, activation in (("wide", "NONE"), ("narrow", "RELU6")):
        net = Layers(3)
        x = net.activation([1, 8, 8, 4], 0.05, 3, "input")
        stream = net.activation([1, 8, 8, 16], 0.4, -128, "stream")
        stream = net.conv(x, 16, (3, 3), activation=activation, output=stream)
        codes = np.random.default_rng(5).integers(-7, 8, size=(16, 3, 3, 16))
        weights = net.tensor("weights", [16, 3, 3, 16], "int8", [0.01] * 16, 0, 0, codes)
        net.random = np.random.default_rng(9)
        result = net.activation([1, 8, 8, 16], 0.02, 3, "result")
        options = window_options((1, 1), (1, 1), "SAME", "NONE")
        made.append(ModeSource(name, folder / f"{name}.tflite", ("stream",)))
        made[-1].path.write_bytes(
            net.build(x, net.operator("CONV_2D", [stream, weights, net.bias(16)], result, **options))
        )
    return tuple(made)


def test_a_boundary_holds_what_any_mode_leaves_there(tmp_path: Path) -> None:
    networks = read_modes(modes(tmp_path))
    assert [code_range(one.graph, one.boundaries[1]) for one in networks] == [(-128, 127)] * 2
    narrow = read_modes(modes(tmp_path)[1:])[0]
    assert code_range(narrow.graph, narrow.boundaries[1]) == (-128, -113)


def test_switches_are_exact_where_one_mode_is_narrow(tmp_path: Path) -> None:
    both = modes(tmp_path)
    inputs = edge_inputs(both[0].path, 6)
    count = len(inputs) // (8 * 8 * 4)
    plans = ((0, 0), (1, 1), (0, 1), (1, 0))
    cases = [Case(f"b{a}{b}", both[a].path, inputs, both, ((a, b),) * count, "rv32imc") for a, b in plans]
    found = run_cases(cases, tmp_path / "work")
    # The second blocks are the same: the first one's mode decides.
    expected = run_oracle([OracleJob(case.path, case.inputs) for case in cases])
    for case, one, other in zip(cases, expected, found, strict=True):
        assert isinstance(one, bytes), one
        assert mismatches(one, other, count) == 0, case.name
