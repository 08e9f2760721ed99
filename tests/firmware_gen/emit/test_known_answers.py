"""One input and every mode's answer to it, as C."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.known_answers import KnownAnswers, emit_known_answers
from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import generate, tables_of
from tests.firmware_gen.modes import write_modes


def test_known_answers_must_fit(tmp_path: Path) -> None:
    modes = write_modes(tmp_path)
    with pytest.raises(FirmwareGenError, match="known answers: 5 bytes in"):
        generate(modes, tmp_path / "out", known_answers=KnownAnswers(b"12345", (b"", b"", b"")))


def test_each_mode_has_its_own_bytes_as_signed_numbers(tmp_path: Path) -> None:
    tables = tables_of(write_modes(tmp_path), PolicyConfig())
    outputs = tuple(bytes([mode, 127, 128, 255, 0, 1]) for mode in range(3))
    text = emit_known_answers(tables, KnownAnswers(bytes(299) + b"\xf9", outputs))
    assert "0, -7,\n};" in text
    for mode, name in enumerate(("888", "880", "800")):
        assert f"    /* {name} */\n    {{\n        {mode}, 127, -128, -1, 0, 1\n    }},\n" in text


def test_every_mode_has_an_answer(tmp_path: Path) -> None:
    tables = tables_of(write_modes(tmp_path), PolicyConfig())
    with pytest.raises(FirmwareGenError, match="3 times 6; compute them with this model"):
        emit_known_answers(tables, KnownAnswers(bytes(300), (bytes(6),) * 2))
