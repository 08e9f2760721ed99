# SPDX-License-Identifier: Apache-2.0
"""Builds are found by what the firmware command was given."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.quantised import Cost, Quantised
from dimmer.pipeline.projects.built import find_build, int8_files
from tests.firmware_gen.networks import tiny_resnet
from tests.pipeline.conversion.given.networks import float_tflite, written
from tests.pipeline.conversion.test_signatures import two_signatures

DATA = "--calibration DATA (an .npz, an .npy or a folder of samples)"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "build"))
    return tmp_path


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
    folder.mkdir(parents=True)
    cost = Cost(9, True, 30.0, 0.1, 0.2, None, None, None)
    Quantised("net.tflite", "net.tflite", "a.npz", 9, 9, (), cost).save(folder)
    assert int8_files(build, None) == (folder / "net.tflite",)
    assert find_build("pico", "mnist5k-r14", [here / "net.keras"]).command.endswith(f"net.keras {DATA}")
