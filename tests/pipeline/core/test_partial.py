# SPDX-License-Identifier: Apache-2.0
"""What was begun goes on with the same key, and waits while another one is wanted."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.pipeline.core.partial import KEY_FILE, key_begun, partial_of, resume, retired_of, stage_of
from dimmer.pipeline.core.stage import Stage


def training(folder: Path, seed: int, last: int) -> Stage:
    """A stage that is killed after each epoch but the last."""

    def action(out: Path) -> None:
        epochs = out / "epochs"
        done = int(epochs.read_text()) + 1 if epochs.exists() else 1
        epochs.write_text(str(done))
        if done < last:
            raise KeyboardInterrupt

    return Stage("train", folder, action, settings={"seed": seed}, keep_partial=True)


def test_what_was_begun_is_put_aside_and_taken_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "train"
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            training(folder, 1, 3).run()
    training(folder, 2, 1).run()
    assert (folder / "epochs").read_text() == "1"
    (kept,) = tmp_path.glob(".train.*.aside")
    said = capsys.readouterr().err
    assert said == f"train: what was begun with other inputs or settings is kept in {kept}; with those it goes on\n"
    training(folder, 1, 3).run()
    assert (folder / "epochs").read_text() == "3"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".train.lock", "train"]


def test_nothing_is_kept_of_what_has_not_begun(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    partial = partial_of(tmp_path / "train")
    partial.mkdir()
    (partial / KEY_FILE).write_text("one")
    assert resume(tmp_path / "train", "one")
    assert not resume(tmp_path / "train", "two")
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err == ""
    partial.mkdir()
    (partial / "half").write_text("without a key")
    assert key_begun(partial) is None
    assert not resume(tmp_path / "train", "two")
    assert list(tmp_path.iterdir()) == []


def test_names() -> None:
    folder = Path("build/one/v1.2")
    assert [stage_of(beside(folder)) for beside in (partial_of, retired_of)] == ["v1.2", "v1.2"]
    assert [stage_of(Path(name)) for name in (".old", "a.partial", ".a.0.aside")] == [".old", "a.partial", ".a.0.aside"]
