# SPDX-License-Identifier: Apache-2.0
"""Known answers as C, and what does not fit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.known_answers import KnownAnswers, emit_known_answers
from dimmer.firmware_gen.emit.names import names_of
from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.emit.tables import Tables
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import generate, tables_of
from tests.firmware_gen.modes import MODES, write_modes


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return tables_of(write_modes(tmp_path), PolicyConfig())


def test_answers_stand_mode_by_mode(tables: Tables) -> None:
    answers = KnownAnswers(bytes(range(256)) + bytes(44), (b"\1\2\3\4\5\6", b"\xff" * 6, bytes(6)))
    text = emit_known_answers(tables, names_of("x"), answers)
    assert re.findall(r"/\* (\d+) \*/", text) == list(MODES)
    assert "1, 2, 3, 4, 5, 6\n" in text
    assert "-1, -1, -1, -1, -1, -1\n" in text
    assert "126, 127, -128, -127" in text
    assert "const int8_t dimmer_x_known_outputs[DIMMER_X_MODE_COUNT][DIMMER_X_OUTPUT_SIZE]" in text


@pytest.mark.parametrize(
    "answers", [KnownAnswers(bytes(299), (bytes(6),) * 3), KnownAnswers(bytes(300), (bytes(6),) * 2)]
)
def test_answers_of_another_model_are_refused(tables: Tables, answers: KnownAnswers) -> None:
    with pytest.raises(FirmwareGenError, match="compute them with this model"):
        emit_known_answers(tables, names_of("x"), answers)


def test_known_answers_must_fit(tmp_path: Path) -> None:
    modes = write_modes(tmp_path)
    with pytest.raises(FirmwareGenError, match="known answers: 5 bytes in"):
        generate(modes, tmp_path / "out", known_answers=KnownAnswers(b"12345", (b"", b"", b"")))
