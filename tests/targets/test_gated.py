# SPDX-License-Identifier: Apache-2.0
"""A gated run on host and board: choices as the integer reference makes, outputs as the interpreter gives for them."""

from __future__ import annotations

import dataclasses
import json
import struct
from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.emit.known_answers import KnownAnswers
from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.gates import MODE_GATED
from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.library import INCLUDE, sources
from dimmer.pipeline.image.gated_records import Gated, run_gated
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.verification.gated_expected import gated_oracle, mismatches, mode_counts
from dimmer.targets import APPLICATION, Target, TargetError, load_target
from tests.firmware_gen.gated import CLASSES, IMAGE, expected_runs, random_gates
from tests.firmware_gen.modes import write_modes
from tests.firmware_gen.runtime.c_library import ASSERTING, SANITIZED

INPUTS = 100
SEED = 4
TARGETS = [
    pytest.param(("host", "gcc"), marks=pytest.mark.slow),
    pytest.param(("host", "clang"), marks=pytest.mark.slow),
    pytest.param(("mps2-an386", ""), marks=pytest.mark.board("mps2-an386")),
]


def compiled(target: Target, folder: Path, gated: bool = True, narrow: int = 4) -> Path:
    modes = write_modes(folder)
    image = np.zeros(IMAGE, np.int8).tobytes()
    answers = tuple(reference_outputs(mode.path, image) for mode in modes)
    policy = PolicyConfig((Tier(500, 0, MODE_GATED, 200), Tier(0, 0, 2)) if gated else ())
    gates = random_gates(SEED, narrow=narrow) if gated else None
    model = generate(modes, folder / "c", policy, KnownAnswers(image, answers), gates=gates)
    return target.compile(
        [*model.sources, *sources(model.kernels), *APPLICATION], [folder / "c", INCLUDE], folder / "out"
    )


def inputs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    images = rng.integers(-128, 128, (INPUTS, *IMAGE[1:])).astype(np.int8)
    # Flat ones too, or all streams have about the same means.
    images[::2] = rng.integers(-128, 128, (INPUTS // 2, 1, 1, 3))
    return images, rng.integers(0, 256, INPUTS)


@pytest.mark.parametrize("where", TARGETS, ids=lambda where: "-".join(filter(None, where)))
def test_choices_equal_the_reference_and_outputs_the_interpreter(where: tuple[str, str], tmp_path: Path) -> None:
    target = load_target(where[0])
    if where[1]:
        toolchain = dataclasses.replace(target.toolchain, compilers=(where[1],), flags=("-O1", *SANITIZED, *ASSERTING))
        target = dataclasses.replace(target, toolchain=toolchain)
    images, levels = inputs()
    outputs, bits, plans = expected_runs(random_gates(SEED), images, levels, tmp_path)
    assert len(plans) == 8
    elf = compiled(target, tmp_path)
    header = b"DMG1" + struct.pack("<4I", INPUTS, images[0].size, CLASSES, 3)
    records = [bytes([level]) + image.tobytes() for level, image in zip(levels.tolist(), images, strict=True)]
    (tmp_path / "in.bin").write_bytes(header + b"".join(records))
    result = target.run(elf, ["gated", "in.bin", "out.bin"], tmp_path)
    assert result.returncode == 0, result.stdout
    raw = np.frombuffer((tmp_path / "out.bin").read_bytes(), np.uint8).reshape(INPUTS, CLASSES + 3)
    np.testing.assert_array_equal(raw[:, CLASSES:], bits)
    np.testing.assert_array_equal(raw[:, :CLASSES].view(np.int8), outputs)


@pytest.mark.slow
@pytest.mark.parametrize("narrow", [4, 48])
def test_the_oracle_of_the_pipeline_is_the_same(tmp_path: Path, narrow: int) -> None:
    images, levels = inputs()
    modes, gates = write_modes(tmp_path), random_gates(SEED, narrow=narrow)
    outputs, bits, _ = expected_runs(gates, images[:30], levels[:30], tmp_path)
    found = gated_oracle(modes, gates, images[:30], levels[:30])
    np.testing.assert_array_equal(found.outputs, outputs)
    np.testing.assert_array_equal(found.bits, bits)
    elf = compiled(load_target("host"), tmp_path, narrow=narrow)
    ran = run_gated(load_target("host"), elf, images[:30], levels[:30], 3, CLASSES)
    assert mismatches(found, ran) == 0
    counts = mode_counts(ran.bits, (2, 1))
    assert {mode.blocks[0][0] for mode in counts} == {8, narrow}
    assert sum(counts.values()) == 30
    assert mismatches(found, Gated(ran.outputs, ran.bits ^ np.uint8(1))) == 30


@pytest.mark.board("mps2-an386")
def test_the_gates_are_counted(tmp_path: Path) -> None:
    target = load_target("mps2-an386")
    lines = target.run(compiled(target, tmp_path), ["bench"], tmp_path, count=True).stdout.splitlines()
    (gates,) = [event for event in map(json.loads, lines) if event["event"] == "gates"]
    # Two poolings of 100 pixels and 8 channels, and the products of three small gates.
    products = 3 * (5 * 9 + 7 * 5 + 7 * 7) + 7 * 6
    assert 1600 + products < gates["instructions"] < 12 * (1600 + products)


def test_the_battery_gives_the_gates_their_budget(tmp_path: Path) -> None:
    target = load_target("host")
    elf = compiled(target, tmp_path)
    (tmp_path / "curve.csv").write_text("0,900,3300,0\n7200,100,3300,0\n")
    lines = target.run(elf, ["battery", "curve.csv"], tmp_path).stdout.splitlines()
    assert ['"mode":"gated"' in line for line in lines] == [True, False]


def test_a_model_without_gates_says_so(tmp_path: Path) -> None:
    target = load_target("host")
    elf = compiled(target, tmp_path, gated=False)
    (tmp_path / "in.bin").write_bytes(b"DMG1" + bytes(16))
    with pytest.raises(TargetError, match="the model has no gates"):
        target.run(elf, ["gated", "in.bin", "out.bin"], tmp_path)


def test_gates_store_no_byte_of_the_blocks_again(tmp_path: Path) -> None:
    modes, gates = write_modes(tmp_path), random_gates(SEED)
    without = generate(modes, tmp_path / "without")
    gated = generate(modes, tmp_path / "with", gates=gates)
    own = sum(len(g.entry.data) + len(g.head.data) for g in gates.blocks)
    own += len(gates.features.data) + len(gates.state.data)
    more = [c for c in gated.constants if c.layer.startswith("gate") and c.table == "weights"]
    assert sum(c.size for c in more) == own
    assert gated.weight_bytes - without.weight_bytes == own
    assert gated.arena == without.arena


def test_a_mode_that_gates_need_must_be_published(tmp_path: Path) -> None:
    with pytest.raises(FirmwareGenError, match="as mode 880 does, which the firmware lacks; publish that mode"):
        generate([m for m in write_modes(tmp_path) if m.name != "880"], tmp_path / "c", gates=random_gates(SEED))


def test_a_policy_can_be_gated_only_with_gates(tmp_path: Path) -> None:
    with pytest.raises(FirmwareGenError, match="tier 0 selects mode 255 of 3"):
        generate(write_modes(tmp_path), tmp_path / "c", PolicyConfig((Tier(0, 0, MODE_GATED, 9),)))


def test_gates_of_another_network_are_refused(tmp_path: Path) -> None:
    gates = random_gates(SEED)
    narrow = dataclasses.replace(gates.blocks[0].entry, weights=tuple((1,) * 5 for _ in range(5)))
    first = (dataclasses.replace(gates.blocks[0], entry=narrow), gates.blocks[1])
    with pytest.raises(FirmwareGenError, match="the gates of stage 0 are not made for stem"):
        generate(
            write_modes(tmp_path), tmp_path / "c", gates=dataclasses.replace(gates, stages=(first, gates.stages[1]))
        )
