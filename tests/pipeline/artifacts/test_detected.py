# SPDX-License-Identifier: Apache-2.0
"""What `dimmer detect` leaves beside a build."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.detected import RESULT, Detected, HeardEvents, detected_folder

HEARD = HeardEvents(720.0, 599, 508, (0.82, 0.88), 2, 10.0, (1.2, 36.6))


def example() -> Detected:
    """Ten false alarms an hour, and most words missed."""
    return Detected("888", "0" * 64, ("one", "two"), 23.2, 3, 10, 0.08, 10.0, HEARD, HEARD)


def test_it_is_read_as_it_was_saved(tmp_path: Path) -> None:
    folder = detected_folder(tmp_path)
    example().save(folder)
    assert Detected.load(folder) == example()
    assert folder == tmp_path / "detect"


@pytest.mark.parametrize("content", [None, "{}", "]"])
def test_missing_and_damaged_files_have_a_way_out(tmp_path: Path, content: str | None) -> None:
    if content:
        (tmp_path / RESULT).write_text(content)
    with pytest.raises(DimmerError, match=r"detect\.json cannot be read \(.*\): remove .* and build again"):
        Detected.load(tmp_path)
