# SPDX-License-Identifier: Apache-2.0
"""One C file for several cores: whichever compiler takes it finds the tables that a firmware for that core has."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.known_answers import KnownAnswers
from dimmer.firmware_gen.emit.policy import PolicyConfig, even_policy
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import plan_of
from dimmer.firmware_gen.several import SeveralCores, Wanted, generate_for_cores
from dimmer.firmware_gen.variants.cores import KINDS, PORTABLE, kind_of
from tests.firmware_gen.gated import random_gates
from tests.firmware_gen.modes import write_modes


def generated(folder: Path, cores: list[str], classes: tuple[str, ...] = (), gated: bool = False) -> SeveralCores:
    modes = write_modes(folder)
    answers = KnownAnswers(bytes(300), tuple(bytes(6) for _ in modes))
    kinds = [kind_of(core) for core in cores]
    gates = random_gates(4) if gated else None
    wanted = Wanted("blocks", modes, even_policy(len(modes)), answers, gates, classes)
    return generate_for_cores(wanted, kinds, dict.fromkeys(kinds))


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> SeveralCores:
    return generated(tmp_path_factory.mktemp("modes"), ALL)


ALL = [kind.core for kind in KINDS]


@pytest.mark.parametrize("gated", [False, True])
def test_the_tables_of_a_core_are_those_of_its_own_firmware(
    gated: bool, everything: SeveralCores, tmp_path: Path
) -> None:
    """But for the order of constants, which is one for all."""
    made = generated(tmp_path, ["cortex-m55", "cortex-m4", PORTABLE], gated=True) if gated else everything
    modes = write_modes(tmp_path)
    gates = random_gates(4) if gated else None
    for kind, core in made.cores:
        alone, _ = plan_of(modes, PolicyConfig(), gates, None, "" if kind.core == PORTABLE else kind.core)
        assert core.tables.memory.arena == alone.memory.arena
        assert [record.kernel for record in core.tables.records] == [record.kernel for record in alone.records]
        for own, other in ((core.tables.pool, alone.pool), (alone.pool, core.tables.pool)):
            assert {(c.table, c.data, c.modes) for c in own.constants} <= {
                (c.table, c.data, c.modes) for c in other.constants
            }
        assert {len(core.tables.pool.table("weights")), core.tables.schedule_bytes} == {
            len(alone.pool.table("weights")),
            alone.schedule_bytes,
        }


def test_every_constant_stands_once(everything: SeveralCores) -> None:
    different = {(c.table, c.data) for _, core in everything.cores for c in core.tables.pool.constants}
    source = everything.texts["dimmer_blocks.c"]
    assert len(re.findall(r"^    /\* \[[\d, ]+\] .* bytes, ", source, re.MULTILINE)) == len(different)
    assert source.count("int32_t alignment;") == 1


def test_the_order_of_cores_does_not_matter(tmp_path: Path) -> None:
    some = ["cortex-m4", "rv32imc"]
    assert generated(tmp_path, some).texts == generated(tmp_path, some[::-1]).texts


def test_one_kind_of_core(tmp_path: Path) -> None:
    (only,) = generated(tmp_path, ["cortex-m7"]).cores
    assert only[0].core == "cortex-m4"
    text = generated(tmp_path, [PORTABLE]).texts["dimmer_blocks.h"]
    assert "#error" not in text.split("#endif", 3)[-1]


def test_classes_must_be_as_many_as_the_output_has(tmp_path: Path) -> None:
    text = generated(tmp_path, ["cortex-m4"], tuple("abcdef")).texts["dimmer_blocks.h"]
    assert "CLASS_COUNT 6u" in text
    with pytest.raises(FirmwareGenError, match="2 names of classes for an output of 6 elements"):
        generated(tmp_path, ["cortex-m4"], ("a", "b"))
    assert math.prod((1, 6)) == 6
