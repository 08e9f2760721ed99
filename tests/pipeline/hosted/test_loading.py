# SPDX-License-Identifier: Apache-2.0
"""From a path to a model: what is taken, how fast, and what is said where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline import firmware
from dimmer.pipeline.artifacts.converted import converted_folder, mode_sources
from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.hosted import load
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.targets import TargetError, load_target
from tests.firmware_gen.networks import tiny_resnet
from tests.pipeline.hosted.examples import modes_folder
from tests.tiny import TinyBuild, silent

SECONDS = 0.2
"""That loading a model takes, once it is compiled."""


@pytest.fixture
def tiny_file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.tflite"
    path.write_bytes(tiny_resnet())
    return path


def test_every_folder_of_a_build_will_do(tmp_path: Path) -> None:
    build = modes_folder(tmp_path)
    image = np.zeros((1, 10, 10, 3), np.int8)
    expected = load(build).run(image).tobytes()
    for path in (str(build), build / "host", build / "host" / "firmware", [build]):
        model = load(path)
        assert (model.name, model.run(image).tobytes()) == ("blocks", expected)


def test_a_suffix_is_one_in_any_case(tiny_file: Path) -> None:
    assert load(tiny_file.rename(tiny_file.with_suffix(".TFLite"))).name == "tiny"


def test_a_board_s_folder_leads_to_the_host_s(tmp_path: Path) -> None:
    build = modes_folder(tmp_path)
    sources = [ModeSource("888", tmp_path / "sources" / "888.tflite")]
    for folder in (build / "mps2-an386" / "firmware", tmp_path / "alone" / "firmware"):
        generate(sources, folder, name="lamp", core="cortex-m4")
    for path in (build / "mps2-an386", build / "mps2-an386" / "firmware"):
        assert load(path).name == "blocks"
    for path in (tmp_path / "alone", tmp_path / "alone" / "firmware"):
        with pytest.raises(DimmerError, match=r"dimmer_lamp\.c was generated for another core \(dimmer_\w+ does not"):
            load(path)


def test_loading_again_is_fast(tiny_file: Path) -> None:
    load(tiny_file)
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        load(tiny_file)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < SECONDS


def test_another_program_finds_what_was_compiled_and_needs_no_torch(
    tiny_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A folder of its own: other tests write into the common one meanwhile.
    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path / "kept"))
    load(tiny_file)
    kept = sorted((tmp_path / "kept").rglob("*"))
    script = (
        "import sys, time, dimmer\n"
        "dimmer.load\n"
        "began = time.perf_counter()\n"
        f"model = dimmer.load({str(tiny_file)!r})\n"
        "print(time.perf_counter() - began, model.modes)\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'torch', 'tensorflow', 'typer', 'onnx'}))\n"
        "print([name for name in sys.modules if name.startswith(('dimmer.pipeline.training', 'dimmer.calib'))])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, *others = done.stdout.splitlines()
    assert first.endswith("('tiny',)")
    assert others == ["[]", "[]"]
    assert kept
    assert sorted((tmp_path / "kept").rglob("*")) == kept


@pytest.mark.slow
def test_another_file_of_the_same_name_is_another_model(tiny_file: Path) -> None:
    first = load(tiny_file)
    image = np.full(first.input_shape, 5, np.int8)
    tiny_file.write_bytes(tiny_resnet(seed=9))
    assert load(tiny_file).run(image).tobytes() != first.run(image).tobytes()


def test_no_compiler_names_the_package(tiny_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TargetError, match=r"^gcc not found: install it with 'sudo apt-get install gcc'$"):
        load(tiny_file)


@pytest.mark.slow
def test_clang_will_do(tiny_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clang = shutil.which("clang")
    if clang is None:
        pytest.skip("needs sudo apt-get install clang")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("clang", "ld", "as"):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    image = np.full(load(tiny_file).input_shape, 5, np.int8)
    expected = load(tiny_file).run(image).tobytes()
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path / "cache"))
    assert load(tiny_file).run(image).tobytes() == expected


def test_wrong_paths_are_one_line(tiny_file: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    os.mkfifo(tmp_path / "pipe.tflite")
    (tmp_path / "cut.tflite").write_bytes(tiny_resnet()[:600])
    wrong = {
        tmp_path / "nowhere": r"nowhere is no folder and no \.tflite file: give a build folder",
        tmp_path / "notes.txt": r"notes\.txt is no folder and no \.tflite file",
        tmp_path / "empty": r"empty has no generated C for this machine \(dimmer_model\.h\): give",
        tmp_path / "pipe.tflite": r"pipe\.tflite is no file; name a \.tflite file",
        tmp_path / "missing.tflite": r"missing\.tflite cannot be read \(No such file or directory\); check the path",
        tmp_path / "cut.tflite": r"^cut\.tflite: damaged",
    }
    for path, message in wrong.items():
        with pytest.raises(DimmerError, match=message) as caught:
            load(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(DimmerError, match=r"empty is no \.tflite file: give one folder, or \.tflite files"):
        load([tiny_file, tmp_path / "empty"])
    wrong_types: tuple[Any, ...] = (None, 5, [5], b"lamp.tflite", [tiny_file, None])
    for given in wrong_types:
        with pytest.raises(DimmerError, match=r"^load was given .*: name a build folder or \.tflite files, by paths$"):
            load(given)
    with pytest.raises(DimmerError, match="no file was given to load"):
        load([])
    with pytest.raises(FirmwareGenError, match=r"is given twice; name each file once"):
        load([tiny_file, tiny_file])


def test_a_recipe_s_build_is_exact(tiny_converted: TinyBuild) -> None:
    recipe, build = tiny_converted.recipe, tiny_converted.build
    firmware.run(recipe, build, load_target("host"), silent)
    model = load(build)
    sources = mode_sources(converted_folder(build))
    assert (model.name, model.modes) == (recipe.name, tuple(source.name for source in sources))
    images = np.random.default_rng(3).integers(-128, 128, (100, *model.input_shape[1:]), np.int8)
    for source in sources:
        expected = reference_outputs(source.path, images.tobytes())
        assert model.run(images, source.name).tobytes() == expected
    assert model.report_battery(charge_permille=0, millivolts=3000, time_s=0) == model.modes[-1]
