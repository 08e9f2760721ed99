# SPDX-License-Identifier: Apache-2.0
"""Several modes in one firmware: shared constants, skipped blocks, and switches in the middle of an inference."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import GeneratedModel, generate
from dimmer.firmware_gen.memory.weights import check_shared_weights
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.oracle.interpreter import OracleJob, run_oracle
from tests.firmware_gen.harness import Case, edge_inputs, run_cases
from tests.firmware_gen.modes import BLOCKS, MODES, build_mode, splice, write_modes
from tests.firmware_gen.tflite_builder import Layers

POSITIONS = BLOCKS + 2


def bytes_of(model: GeneratedModel, table: str) -> int:
    return sum(constant.size for constant in model.constants if constant.table == table)


@pytest.mark.slow
def test_every_plan_of_modes_equals_its_spliced_file(tmp_path: Path) -> None:
    modes = write_modes(tmp_path)
    data = edge_inputs(modes[0].path, 1)
    size = len(data) // 7
    jobs, plans, inputs = [], [], []
    for number, plan in enumerate(itertools.product(range(len(modes)), repeat=POSITIONS)):
        path = tmp_path / f"spliced_{number}.tflite"
        path.write_bytes(splice(plan))
        one = data[(number % 7) * size : (number % 7 + 1) * size]
        jobs.append(OracleJob(path, one))
        plans.append(plan)
        inputs.append(one)
    case = Case("modes", modes[0].path, b"".join(inputs), modes, tuple(plans))
    assert run_cases([case], tmp_path)[0] == b"".join(
        answer for answer in run_oracle(jobs) if isinstance(answer, bytes)
    )


def test_weights_are_stored_once(tmp_path: Path) -> None:
    modes = write_modes(tmp_path)
    alone = generate(modes[:1], tmp_path / "alone")
    together = generate(modes, tmp_path / "together")
    assert together.weight_bytes == alone.weight_bytes
    assert {constant.modes for constant in together.constants if constant.table == "weights"} == {
        (0, 1, 2),
        (0, 1),
        (0,),
    }


def test_a_mode_of_known_blocks_costs_its_schedule_alone(tmp_path: Path) -> None:
    modes = write_modes(tmp_path)
    alone = generate(modes[:1], tmp_path / "alone")
    two = generate(modes[:2], tmp_path / "two")
    assert two.parameter_bytes == alone.parameter_bytes
    assert two.table_bytes - alone.table_bytes == 2 * POSITIONS + 4  # a schedule, and the empty block


def test_a_block_of_its_own_costs_parameters_and_records(tmp_path: Path) -> None:
    modes = write_modes(tmp_path)
    two, three = generate(modes[:2], tmp_path / "two"), generate(modes, tmp_path / "three")
    # Two convolutions of 8 channels with other multipliers; biases, shifts and the rest are the same.
    assert bytes_of(three, "params") - bytes_of(two, "params") <= 2 * 8 * 4
    assert bytes_of(three, "weights") == bytes_of(two, "weights")


def test_macs_fall_from_mode_to_mode(tmp_path: Path) -> None:
    macs = generate(write_modes(tmp_path), tmp_path / "out").macs
    assert list(macs) == sorted(macs, reverse=True)
    assert len(set(macs)) == len(MODES)


def test_modes_must_agree_at_boundaries(tmp_path: Path) -> None:
    first = write_modes(tmp_path)[0]
    other = Layers(0)
    x = other.activation([1, 10, 10, 3], 1 / 64, 0)
    stem = other.conv(x, 8, output=other.activation([1, 10, 10, 8], 0.06, -20, "stem"))
    pooled = other.pool("AVERAGE_POOL_2D", stem, (10, 10), (1, 1), "VALID", "NONE")
    path = tmp_path / "other.tflite"
    path.write_bytes(other.build(x, other.dense(pooled, 6)))
    with pytest.raises(FirmwareGenError, match=r"other\.tflite: stem before position 1 .* one calibration range"):
        generate([first, ModeSource("other", path, ("stem",) * 4)], tmp_path / "out")


def test_modes_must_have_the_same_positions(tmp_path: Path) -> None:
    first, second, _ = write_modes(tmp_path)
    with pytest.raises(FirmwareGenError, match=r"880\.tflite: 4 positions, 888\.tflite has 5"):
        generate([first, ModeSource("880", second.path, second.boundaries[:-1])], tmp_path / "out")


def test_only_one_tensor_may_cross_a_boundary(tmp_path: Path) -> None:
    data, _ = build_mode(MODES["888"])
    path = tmp_path / "net.tflite"
    path.write_bytes(data)
    graph = read_tflite(path)
    inner = graph.tensors[graph.operators[1].output].name  # in the first residual block, whose input is still needed
    with pytest.raises(FirmwareGenError, match="cut only where a single tensor is live"):
        generate([ModeSource("net", path, (inner,))], tmp_path / "out")


def test_an_unknown_boundary_is_named(tmp_path: Path) -> None:
    first = write_modes(tmp_path)[0]
    with pytest.raises(FirmwareGenError, match="0 tensors are called nowhere"):
        generate([ModeSource("888", first.path, ("nowhere",))], tmp_path / "out")


def test_modes_with_other_weights_are_refused(tmp_path: Path) -> None:
    first, second, _ = write_modes(tmp_path)
    data = bytearray(second.path.read_bytes())
    at = data.index(layer_weights(first.path))
    data[at] ^= 1
    second.path.write_bytes(bytes(data))
    with pytest.raises(FirmwareGenError, match=r"880\.tflite: the weights of layer stem differ in 1 of 216 bytes"):
        generate([first, second], tmp_path / "out")
    with pytest.raises(FirmwareGenError, match=r"mode 880: the weights of layer stem differ in 1 of 216 bytes"):
        check_shared_weights({"888": first.path, "880": second.path})


def layer_weights(path: Path) -> bytes:
    graph = read_tflite(path)
    return graph.tensors[graph.operators[0].inputs[1]].data or b""


def test_a_skippable_block_that_does_not_end_in_place_gets_a_copy(tmp_path: Path) -> None:
    def build(with_block: bool) -> bytes:
        net = Layers(5)
        x = net.activation([1, 6, 6, 4], 0.05, 3)
        y = net.conv(x, 4, output=net.activation([1, 6, 6, 4], 0.05, 3, "a"))
        if with_block:
            y = net.conv(y, 4, output=net.activation([1, 6, 6, 4], 0.05, 3, "b"))
        from numpy.random import default_rng

        net.random = default_rng(9)
        return net.build(x, net.conv(y, 2))

    sources = []
    for name, boundaries in (("full", ("a", "b")), ("less", ("a", "a"))):
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(build(name == "full"))
        sources.append(ModeSource(name, path, boundaries))
    data = edge_inputs(sources[0].path, 2)
    plans = tuple((mode,) * 3 for mode in (0, 1)) * (8 // 2)
    case = Case("copies", sources[0].path, data, tuple(sources), plans)
    answers = run_oracle([OracleJob(source.path, data) for source in sources])
    size = 6 * 6 * 2
    expected = b"".join(
        answer[number * size : (number + 1) * size]
        for number in range(8)
        for answer in [answers[number % 2]]
        if isinstance(answer, bytes)
    )
    assert run_cases([case], tmp_path)[0] == expected


def test_a_scratch_limit_is_kept(tmp_path: Path) -> None:
    with pytest.raises(FirmwareGenError, match="bytes of scratch, the limit is 16"):
        generate(write_modes(tmp_path), tmp_path / "out", scratch_limit=16)
