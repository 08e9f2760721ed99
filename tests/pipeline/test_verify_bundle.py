# SPDX-License-Identifier: Apache-2.0
"""`dimmer verify-bundle` says whether a bundle is whole, and its status says the same."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import typer

from dimmer.pipeline.verify_bundle import DAMAGED, main


def test_status_and_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"model": "lamp", "version": "1"}))
    (tmp_path / "SHA256SUMS").write_text("")
    with pytest.raises(typer.Exit) as stopped:
        main(tmp_path)
    assert stopped.value.exit_code == DAMAGED
    said = capsys.readouterr().out
    assert "manifest.json is not in SHA256SUMS" in said
    assert "not as it should be" in said
    digest = hashlib.sha256((tmp_path / "manifest.json").read_bytes()).hexdigest()
    (tmp_path / "SHA256SUMS").write_text(f"{digest}  manifest.json\n")
    main(tmp_path)
    assert ": whole" in capsys.readouterr().out
