# SPDX-License-Identifier: Apache-2.0
"""Only what stages have made is removed, and trained weights only when asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.clean import main
from dimmer.pipeline.core.noted import note
from dimmer.pipeline.core.stage import Stage
from dimmer.targets.runners.rtl import FOLDER


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


def test_an_unknown_target_is_refused(build: Path) -> None:
    with pytest.raises(DimmerError, match=r"has nothing for target 'nosuch'; there are: host, lamp$"):
        main(target="nosuch")
    main(target="lamp")
    # Nothing is left, which is no error.
    main(target="lamp")


def test_what_no_stage_made_stays(build: Path) -> None:
    """A folder with another manifest.json went, with all that was in it."""
    mine = [build / "one" / "app", build / "one" / "host" / ".old.partial", build / "mine" / ".draft.old"]
    for folder in mine:
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text('{"name": "a page"}')
    main(trained=True)
    assert stages(build) == set()
    assert all((folder / "manifest.json").is_file() for folder in mine)


@pytest.mark.parametrize("name", ["train", "train-alone-super", "gates"])
def test_an_interrupted_training_is_a_training(build: Path, name: str) -> None:
    def action(out: Path) -> None:
        (out / "epoch59.pt").write_text("hours of work")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Stage(name, build / "one" / name, action, settings={"other": 1}, keep_partial=True).run()
    kept = build / "one" / f".{name}.partial" / "epoch59.pt"
    main()
    assert kept.is_file()
    main(trained=True)
    assert not kept.parent.exists()


def test_what_a_command_works_on_is_left_alone(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def action(out: Path) -> None:
        (out / "half").write_text("half")
        main(trained=True, dry_run=True)
        main(trained=True)
        assert (out / "half").is_file()

    Stage("train", build / "one" / "train", action, settings={"other": 1}).run()
    said = capsys.readouterr().out
    assert said.count(".train.partial  in use by a command that runs: left alone") == 2
    assert said.count(f"{build / 'one' / 'train'}  in use") == 2
    assert (build / "one" / "train" / "half").is_file()


def test_a_bundle_within_a_stage_is_counted_once(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It has a manifest.json, too, and was removed with its stage before its turn came."""

    def action(out: Path) -> None:
        (out / "one").mkdir()
        (out / "one" / "manifest.json").write_text('{"key": "as of a stage"}')

    Stage("bundle", build / "one" / "host" / "bundle", action).run()
    main(dry_run=True)
    assert capsys.readouterr().out.count("host/bundle") == 1
    main()
    assert stages(build) == {"one/train", "two/train"}
    assert not (build / "one" / "host" / "bundle").exists()


@pytest.fixture
def simulators(build: Path) -> Path:
    folder = build / FOLDER
    folder.mkdir()
    for name in ("lamp-small-0123", "lamp-0123", "lamp-4567", ".lamp-89ab.new", ".lamp.lock"):
        (folder / name).write_text("a program")
    return folder


def test_simulators_of_cores_go_as_well(simulators: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """But not the lock, for which a build may be waiting."""
    main(dry_run=True)
    assert "lamp-0123  9 bytes" in capsys.readouterr().out
    main(model="one")
    assert len(list(simulators.iterdir())) == 5
    main(target="lamp")
    assert {path.name for path in simulators.iterdir()} == {"lamp-small-0123", ".lamp.lock"}
    main()
    assert {path.name for path in simulators.iterdir()} == {".lamp.lock"}


def test_nothing_built_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "none"))
    main()
    assert "nothing is built there" in capsys.readouterr().out


def test_what_lies_beside_the_stages_goes_too(build: Path) -> None:
    """Firmware, C and report of a build that was gone were still loaded and flashed."""
    for model, target in (("one", "lamp"), ("two", "lamp")):
        folder = build / model / target
        for name in ("firmware.elf", "modes/88.tflite"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text("made")
        note(folder, [folder / "firmware.elf", folder / "modes" / "88.tflite"])
    (build / "two" / "lamp" / "app.c").write_text("mine")
    main(dry_run=True)
    main(target="host")
    assert (build / "one" / "lamp" / "firmware.elf").is_file()
    main(target="lamp")
    assert [path.name for path in (build / "one" / "lamp").iterdir()] == [".firmware.lock"]
    assert sorted(path.name for path in (build / "two" / "lamp").iterdir()) == [".firmware.lock", "app.c"]
