# SPDX-License-Identifier: Apache-2.0
"""The command that writes the headers."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.firmware_gen import kernel_header
from dimmer.firmware_gen.kernels.header import headers
from dimmer.firmware_gen.library import INCLUDE


def test_it_writes_what_is_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kernel_header, "INCLUDE", tmp_path)
    kernel_header.main()
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert written == {name: (INCLUDE / name).read_text() for name in headers()}
    assert capsys.readouterr().out.split() == [str(tmp_path / name) for name in headers()]
