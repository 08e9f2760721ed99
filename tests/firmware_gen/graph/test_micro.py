# SPDX-License-Identifier: Apache-2.0
"""TFLite-Micro's arithmetic: what of a graph becomes another operator, and the package's own results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import tables_of
from dimmer.firmware_gen.graph import fixed_point as fp
from dimmer.firmware_gen.graph.micro import Reference
from dimmer.firmware_gen.graph.options import Lookup
from dimmer.firmware_gen.graph.types import Quantisation
from dimmer.firmware_gen.graph.unary import unary_table
from dimmer.firmware_gen.lower.steps import Params, Shifts, Step
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, run_oracle
from dimmer.pipeline.oracle.micro import micro_command
from tests.firmware_gen.harness import Case, run_cases
from tests.firmware_gen.on_board import assert_exact_on
from tests.firmware_gen.recurrent_cases import lstm
from tests.firmware_gen.test_operators import OPERATORS, write_case
from tests.firmware_gen.tflite_builder import Layers

REFUSED = ("select", "relu_n1_to_1", "lstm", "svdf", "cast", "unsigned_cast")
"""The package does not run them, ends the process, or they are refused."""


def steps_of(net: Layers, source: int, output: int, folder: Path) -> tuple[Step, ...]:
    path = folder / "net.tflite"
    path.write_bytes(net.build(source, output))
    tables = tables_of([ModeSource("net", path, (), Reference.TFLM)], PolicyConfig())
    return tuple(step for block in tables.memory.blocks.blocks for step in block.steps)


def test_fully_connected_layers_are_pointwise_convolutions(tmp_path: Path) -> None:
    net = Layers(3)
    x = net.activation([1, 2, 20])
    output = net.output_of([2, 5], 20, x, weights := net.weights([5, 20], 0, per_channel=False))
    net.operator("FULLY_CONNECTED", [x, weights], output)
    (step,) = steps_of(net, x, output, tmp_path)
    assert (step.kernel.name, step.macs) == ("dimmer_conv2d_s8", 200)
    fields = step.fields
    assert (fields["output_h"], fields["output_w"], fields["output_c"], fields["input_c"]) == (2, 1, 5, 20)
    multipliers, shifts = fields["multipliers"], fields["shifts"]
    assert isinstance(multipliers, Params)
    assert isinstance(shifts, Shifts)
    # With one scale for all channels, input times weights is rounded to float32 first.
    product = float(np.float32(net.scale_of(x)) * np.float32(net.scale_of(weights)))
    assert set(zip(multipliers.values, shifts.values, strict=True)) == {
        fp.quantize_multiplier(product / float(np.float32(net.scale_of(output))))
    }


def test_factors_are_quotients_in_double() -> None:
    first, second, output = (Quantisation((float(np.float32(scale)),), (0,)) for scale in (0.1, 0.3, 0.7))
    exact = fp.quantize_multiplier(first.scale * second.scale / output.scale)
    assert fp.mul_multiplier(first, second, output, micro=True) == exact
    assert fp.mul_multiplier(first, second, output) != exact


def test_tables_take_the_output_to_be_what_they_like() -> None:
    source, output = Quantisation((0.05,), (7,)), Quantisation((0.5,), (-3,))
    tanh = np.frombuffer(unary_table(Lookup("TANH_MICRO"), source, output), np.int8)
    assert (tanh[7 + 128], tanh[127 + 128], tanh[0]) == (0, 127, -128)
    relu = np.frombuffer(unary_table(Lookup("RELU6_MICRO"), source, output), np.int8)
    assert (relu[0], relu[50 + 128], relu[255]) == (7, 50, 127)
    higher = np.frombuffer(unary_table(Lookup("RELU6_MICRO"), Quantisation((0.1,), (7,)), output), np.int8)
    assert (higher[0], higher[255]) == (7, 67)


def test_what_is_computed_in_other_steps_is_refused(tmp_path: Path) -> None:
    net = Layers(1)
    with pytest.raises(FirmwareGenError, match=r"UNIDIRECTIONAL_SEQUENCE_LSTM \(y\): TFLite-Micro computes it in"):
        steps_of(net, *lstm(net), tmp_path)


def micro_cases(folder: Path, first: int, count: int, names: tuple[str, ...] = ()) -> list[Case]:
    """Of every operator that the package runs and that is not refused, or of those that are named."""
    try:
        micro_command()
    except DimmerError as error:
        pytest.skip(str(error))
    cases = []
    for name, (build, _) in OPERATORS.items():
        if name not in REFUSED and (not names or name in names):
            for seed in range(first, first + count):
                case = write_case(folder, name, build, seed)
                cases.append(replace(case, modes=(ModeSource(case.name, case.path, (), Reference.TFLM),)))
    return cases


def answered(cases: list[Case]) -> dict[str, bytes]:
    """What the package makes of those that it runs."""
    answers = run_oracle([OracleJob(case.path, case.inputs, Reference.TFLM) for case in cases])
    return {
        case.name: answer for case, answer in zip(cases, answers, strict=True) if not isinstance(answer, OracleFailure)
    }


def generated(cases: list[Case]) -> list[Case]:
    """Those that are not refused for RELU on int16."""
    kept, refusals = [], []
    for case in cases:
        try:
            tables_of(case.modes, PolicyConfig())
        except FirmwareGenError as error:
            refusals.append(str(error))
        else:
            kept.append(case)
    assert all("TFLite-Micro has no kernel for it on int16" in refusal for refusal in refusals)
    return kept


@pytest.mark.slow
@pytest.mark.parametrize("first", [700, 710])
def test_every_operator_gives_the_packages_bits(first: int, tmp_path: Path) -> None:
    cases = micro_cases(tmp_path, first, 4)
    expected = answered(cases)
    chosen = generated([case for case in cases if case.name in expected])
    assert len(chosen) > 0.7 * len(cases)
    outputs = run_cases(chosen, tmp_path)
    wrong = [case.name for case, output in zip(chosen, outputs, strict=True) if output != expected[case.name]]
    assert not wrong


@pytest.mark.slow
@pytest.mark.parametrize("board", ["mps2-an386", "mps2-an385-v6m", "mps3-an547"])
def test_fully_connected_layers_give_the_packages_bits_on_a_core(board: str, tmp_path: Path) -> None:
    assert_exact_on(board, micro_cases(tmp_path, 800, 6, ("dense", "dense_rows", "reshape", "wide_dense")), tmp_path)
