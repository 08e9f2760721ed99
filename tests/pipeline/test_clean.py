# SPDX-License-Identifier: Apache-2.0
"""Only what stages have made is removed, and trained weights only when asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.clean import main
from dimmer.pipeline.core.stage import Stage


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))

    def action(out: Path) -> None:
        (out / "result").write_text("ten bytes!")

    for model in ("one", "two"):
        for place in ("train", "convert", "host/firmware", "lamp/firmware"):
            Stage(place, tmp_path / model / place, action).run()
        (tmp_path / model / "notes.txt").write_text("mine")
    (tmp_path / "one" / ".convert.partial").mkdir()
    return tmp_path


def stages(build: Path) -> set[str]:
    return {str(path.parent.relative_to(build)) for path in build.rglob("result")}


def test_everything_but_what_was_trained_and_what_is_nobody_s(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = stages(build)
    main(dry_run=True)
    assert stages(build) == before
    assert "would be free" in capsys.readouterr().out
    main()
    assert stages(build) == {"one/train", "two/train"}
    assert (build / "one" / "notes.txt").is_file()
    assert not (build / "one" / ".convert.partial").exists()
    main(trained=True)
    assert stages(build) == set()


def test_one_model_or_one_target(build: Path) -> None:
    main(model="one", target="lamp")
    assert stages(build) == {
        *(f"two/{place}" for place in ("train", "convert", "host/firmware", "lamp/firmware")),
        *(f"one/{place}" for place in ("train", "convert", "host/firmware")),
    }
    with pytest.raises(DimmerError, match=r"has no build of 'three'; there are: one, two"):
        main(model="three")


def test_nothing_built_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "none"))
    main()
    assert "nothing is built there" in capsys.readouterr().out
