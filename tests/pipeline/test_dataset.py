# SPDX-License-Identifier: Apache-2.0
"""`dimmer dataset` counts, names what is left out, and writes what the device will see."""

from __future__ import annotations

from pathlib import Path

from tests.own_data import TRAIN, write_images
from tests.pipeline.data.test_own import MODEL
from tests.pipeline.test_cli import dimmer


def test_counts_and_what_is_left_out(tmp_path: Path) -> None:
    write_images(tmp_path / "d", {"dark": 10, "light": 10})
    (tmp_path / "d" / "dark" / "broken.png").write_text("no image")
    (tmp_path / "m").mkdir()
    data = '[data]\nkind = "images"\npath = "../d"\nclasses = ["dark", "light"]\nsize = [8, 8]\n'
    (tmp_path / "m" / "recipe.toml").write_text(MODEL + data + TRAIN)
    done = dimmer(
        tmp_path, "dataset", "--model", "m/recipe.toml", "--out", "seen", DIMMER_CACHE=str(tmp_path / "cache")
    )
    assert done.returncode == 0, done.stderr
    assert "left out: dark/broken.png: cannot be decoded" in done.stdout
    assert "50.0 %" in done.stdout
    assert sorted(path.name for path in (tmp_path / "seen").iterdir()) == ["problems.txt", "samples.png", "splits.csv"]
