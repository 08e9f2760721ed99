# SPDX-License-Identifier: Apache-2.0
"""dimmer settings: a file in, a record out."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import settings


def test_a_file_becomes_a_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = tmp_path / "settings.toml", tmp_path / "settings.bin"
    file.write_text("[duty]\nperiod_ms = 5000\n")
    settings.main(file, 4, 2, out)
    assert out.read_bytes()[:4] == b"DMMS"
    assert "160 bytes, sequence 2, CRC-32 alone" in capsys.readouterr().out
    with pytest.raises(DimmerError, match="--model-crc is"):
        settings.main(file, 4, 2, out, model_crc="x")
