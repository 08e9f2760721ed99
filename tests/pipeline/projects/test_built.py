# SPDX-License-Identifier: Apache-2.0
"""Builds are found by what the firmware command was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.quantised import Cost, Quantised
from dimmer.pipeline.core.stage import Json, Stage
from dimmer.pipeline.projects.built import check_made_of, find_build, int8_files, refuse_recipe
from tests.firmware_gen.networks import tiny_resnet
from tests.pipeline.conversion.given.networks import float_tflite, written
from tests.pipeline.conversion.test_signatures import two_signatures

DATA = "--calibration DATA (an .npz, an .npy or a folder of samples)"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "build"))
    return tmp_path


def made(folder: Path, files: Sequence[Path], settings: Mapping[str, Json] | None = None) -> Path:
    """A folder as a stage leaves it."""

    def action(out: Path) -> None:
        (out / "firmware.elf").write_bytes(b"lamp")

    Stage("firmware", folder, action, settings=settings or {}, given=files).run()
    return folder


def test_of_a_recipe(here: Path) -> None:
    build = find_build("pico", "mnist5k-r14", None)
    assert (build.folder, build.name) == (here / "build" / "mnist5k-r14", "mnist5k-r14")
    assert build.command == "dimmer build --target pico --model mnist5k-r14"
    assert int8_files(build, None) == ()
    for more in ({"name": "lamp"}, {"signature": "lamp"}):
        with pytest.raises(DimmerError, match=r"^--(name|signature) goes with --tflite; leave it out for the model of"):
            find_build("pico", "mnist5k-r14", None, **more)


def test_of_files(here: Path) -> None:
    files = [here / "a lamp.tflite", here / "b.tflite"]
    for file in files:
        file.write_bytes(tiny_resnet())
    build = find_build("pico", "mnist5k-r14", files)
    assert build.folder == here / "build" / "a lamp"
    assert build.command == f"dimmer firmware --target pico --tflite '{files[0]}' --tflite {files[1]}"
    assert int8_files(build, None) == tuple(files)
    named = find_build("pico", "mnist5k-r14", files[1:], "lamp")
    assert (named.name, named.command) == ("lamp", f"dimmer firmware --target pico --tflite {files[1]} --name lamp")
    with pytest.raises(DimmerError, match="the name 'a-b' is no identifier of C"):
        find_build("pico", "mnist5k-r14", files, "a-b")


def test_of_a_signature(here: Path) -> None:
    path = here / "two.tflite"
    path.write_bytes(two_signatures(("a/b", "classify")))
    build = find_build("pico", "mnist5k-r14", [path], None, "classify")
    assert build.name == "two-classify"
    assert build.command == f"dimmer firmware --target pico --tflite {path} --signature classify"
    assert int8_files(build, "classify") == (here / "build" / "given" / "two-classify.tflite",)
    odd = find_build("pico", "mnist5k-r14", [path], None, "a/b")
    assert odd.folder.parent == here / "build"
    assert [file.stem for file in int8_files(odd, "a/b")] == [odd.name]
    assert find_build("pico", "mnist5k-r14", [path], "lamp", "a/b").name == "lamp"


def test_of_a_float_network(here: Path) -> None:
    path = written(here, float_tflite())
    build = find_build("pico", "mnist5k-r14", [path])
    assert (build.name, build.command) == ("net", f"dimmer firmware --target pico --tflite {path} {DATA}")
    with pytest.raises(DimmerError, match=r"net\.tflite was not quantised: type dimmer firmware --target pico --tfl"):
        int8_files(build, None)
    folder = here / "build" / "given" / "net" / "quantise"
    made(folder, [path, here])
    cost = Cost(9, True, 30.0, 0.1, 0.2, None, None, None)
    Quantised("net.tflite", "net.tflite", "a.npz", 9, 9, (), cost).save(folder)
    assert int8_files(build, None) == (folder / "net.tflite",)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(
        DimmerError, match=r"quantise was quantised from another file than .*net\.tflite: type dimmer fi"
    ):
        int8_files(build, None)
    named = find_build("pico", "mnist5k-r14", [path], "lamp")
    with pytest.raises(DimmerError, match=r"net\.tflite was not quantised: type .* --name lamp"):
        int8_files(named, None)
    assert find_build("pico", "mnist5k-r14", [here / "net.keras"]).command.endswith(f"net.keras {DATA}")


def test_another_file_of_the_same_name_is_not_taken(here: Path) -> None:
    path, other = here / "lamp.tflite", here / "other" / "lamp.tflite"
    other.parent.mkdir()
    path.write_bytes(tiny_resnet())
    other.write_bytes(tiny_resnet() + b"\0")
    build = find_build("pico", "mnist5k-r14", [path])
    folder = made(build.folder / "pico" / "firmware", [path])
    check_made_of(build, folder, None)
    for wrong in ([other], [path, path]):
        with pytest.raises(
            DimmerError, match=r"firmware was not made of .*lamp\.tflite as it is now: type dimmer firmw"
        ):
            check_made_of(find_build("pico", "mnist5k-r14", wrong), folder, None)
    path.write_bytes(other.read_bytes())
    with pytest.raises(DimmerError, match="was not made of"):
        check_made_of(build, folder, None)
    path.unlink()
    with pytest.raises(DimmerError, match=r"lamp\.tflite is not there; check the path"):
        check_made_of(build, folder, None)


def test_a_recipe_s_firmware_and_that_of_files_are_told_apart(here: Path) -> None:
    path = here / "mnist5k-r14.tflite"
    path.write_bytes(tiny_resnet())
    of_files, of_recipe = (find_build("pico", "mnist5k-r14", files) for files in ([path], None))
    assert of_files.folder == of_recipe.folder
    folder = made(of_files.folder / "pico" / "firmware", [path])
    refuse_recipe(of_files.name, folder)
    with pytest.raises(
        DimmerError, match=r"not of mnist5k-r14's recipe: type dimmer build --target pico --model mnist"
    ):
        check_made_of(of_recipe, folder, None)
    made(folder, [path], {"policy": {}})
    check_made_of(of_recipe, folder, None)
    with pytest.raises(DimmerError, match="was not made of"):
        check_made_of(of_files, folder, None)
    with pytest.raises(
        DimmerError, match=r"is the firmware of the recipe mnist5k-r14, .* with --name, or another folder"
    ):
        refuse_recipe(of_files.name, folder)
