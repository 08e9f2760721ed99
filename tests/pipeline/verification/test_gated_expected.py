# SPDX-License-Identifier: Apache-2.0
"""What gated inferences are compared with."""

from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.arrays import UInt8
from dimmer.pipeline.image.gated_records import Gated
from dimmer.pipeline.verification.gated_expected import gated_oracle, mismatches, mode_counts
from tests.firmware_gen.gated import random_gates
from tests.firmware_gen.modes import write_modes


def gated() -> Gated:
    return Gated(np.zeros((3, 2), np.int8), np.array([[8, 0], [4, 4], [8, 0]], np.uint8))


def counted(bits: UInt8, *shape: int) -> list[tuple[str, int]]:
    return [(str(mode), count) for mode, count in mode_counts(bits, shape).items()]


def test_another_byte_or_another_choice_is_a_mismatch() -> None:
    assert mismatches(gated(), gated()) == 0
    outputs = gated().outputs
    outputs[1, 1] = 1
    assert mismatches(gated(), Gated(outputs, gated().bits)) == 1
    bits = gated().bits
    bits[[0, 2], 0] = 2
    assert mismatches(gated(), Gated(outputs, bits)) == 3


def test_modes_are_counted_by_stages_the_most_frequent_first() -> None:
    assert counted(gated().bits, 1, 1) == [("8.0", 2), ("4.4", 1)]
    assert counted(gated().bits, 2) == [("80", 2), ("44", 1)]


def test_pairs_are_counted_by_their_letters() -> None:
    bits = np.array([[8, 48, 24], [28, 0, 2], [8, 48, 24]], np.uint8)
    assert counted(bits, 2, 1) == [("8c.a", 2), ("b0.2", 1)]


def test_gates_choose_a_pair_as_any_other_width(tmp_path: Path) -> None:
    images = np.random.default_rng(2).integers(-128, 128, (6, 10, 10, 3)).astype(np.int8)
    levels = np.random.default_rng(3).integers(0, 256, 6)
    same, pairs = (gated_oracle(write_modes(tmp_path), random_gates(4, narrow=n), images, levels) for n in (4, 48))
    assert (same.outputs == pairs.outputs).all()
    assert (np.where(same.bits == 4, 48, same.bits) == pairs.bits).all()
    assert {name[0] for name, _ in counted(pairs.bits, 2, 1)} == {"8", "c"}


def test_a_mode_that_the_gates_need_must_be_there(tmp_path_factory: pytest.TempPathFactory) -> None:
    modes = [mode for mode in write_modes(tmp_path_factory.mktemp("modes")) if mode.name != "880"]
    images = np.random.default_rng(2).integers(-128, 128, (40, 10, 10, 3)).astype(np.int8)
    levels = np.random.default_rng(3).integers(0, 256, 40)
    with pytest.raises(DimmerError, match=r"gates need mode 880, which was not converted; publish it"):
        gated_oracle(modes, random_gates(4), images, levels)
