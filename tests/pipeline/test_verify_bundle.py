# SPDX-License-Identifier: Apache-2.0
"""`dimmer verify-bundle` says whether a bundle is whole, and its status says the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from dimmer.pipeline.verify_bundle import DAMAGED, main
from tests.pipeline.inspection.whole import whole_bundle


def test_status_and_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = whole_bundle(tmp_path / "lamp")
    (bundle / "more").touch()
    with pytest.raises(typer.Exit) as stopped:
        main(bundle)
    assert stopped.value.exit_code == DAMAGED
    said = capsys.readouterr().out
    assert "more is not in SHA256SUMS" in said
    assert "not as it should be" in said
    (bundle / "more").unlink()
    main(bundle)
    assert ": whole" in capsys.readouterr().out
