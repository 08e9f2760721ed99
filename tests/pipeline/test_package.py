# SPDX-License-Identifier: Apache-2.0
"""`dimmer package`: a `.tflite` becomes a folder and an archive; what is wrong is told in a line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import package
from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.package import complete_cores, complete_formats
from tests.firmware_gen.networks import tiny_resnet


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "network.tflite"
    path.write_bytes(tiny_resnet())
    return path


def dimmer_package(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline.package", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_tflite_alone(network: Path, tmp_path: Path) -> None:
    words = ("--tflite", network, "--format", "arduino", "--core", "cortex-m4", "--name", "Door", "--out", tmp_path)
    done = dimmer_package(*words)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("dimmer_door 1.0.0+abi")
    assert lines[1].startswith("  Arm with the DSP extension ")
    assert Path(lines[-1]) == tmp_path / "dimmer_door"
    assert Path(lines[-2]).is_file()
    assert (tmp_path / "dimmer_door" / "library.properties").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "conan"), "error: --format 'conan': there are cmake, zephyr"),
        (("--format", "cmake", "--core", "avr"), "error: no core is known as 'avr': take one of cortex-m0"),
        (("--format", "cmake", "--name", "my-net"), "error: the name 'my-net' is no identifier of C"),
        (("--format", "cmake", "--labels", "nowhere"), "error: --labels nowhere cannot be read"),
        (("--format", "esp-idf", "--core", "cortex-m4"), "error: ESP-IDF's chips are RISC-V or Xtensa"),
        (("--format", "cmsis-pack", "--core", "rv32imc"), "error: CMSIS-Packs are for Arm's cores"),
        (("--format", "cmake", "--model-version", "1"), "error: --model-version '1': write three numbers"),
        (
            ("--format", "cmake", "--out", "noxfile.py"),
            "error: noxfile.py: Not a directory: name another folder with --out",
        ),
        (("--core", "cortex-m4"), "error: missing option '--format'"),
    ],
)
@pytest.mark.slow
def test_a_line_for_what_is_wrong(words: tuple[str, ...], said: str, network: Path, tmp_path: Path) -> None:
    own = () if "--out" in words else ("--out", tmp_path / "out")
    done = dimmer_package("--tflite", network, *words, *own)
    assert done.returncode == 2
    line = done.stderr.splitlines()[-1]
    assert line.startswith(said)
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def main(network: Path, form: str, out: Path) -> None:
    package.main(form, tflite=[network], core=["rv32imc", "portable"], out=out)


@pytest.mark.parametrize("form", ["esp-idf", "cmsis-pack"])
def test_formats(form: str, network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(network, form, tmp_path / form)
    folder = Path(capsys.readouterr().out.splitlines()[-1])
    assert folder == tmp_path / form / "dimmer_network"
    assert (folder / "README.md").is_file()


def test_builds_go_with_the_others(network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "builds"))
    package.main("folder", tflite=[network], core=["portable"])
    assert (tmp_path / "builds" / "network" / "packages" / "folder" / "dimmer_network" / "src" / "dimmer.h").is_file()


def test_a_model_that_was_not_converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    with pytest.raises(DimmerError, match="mnist5k-r14 is not converted; run"):
        package.main("cmake", model="mnist5k-r14")


def test_completion() -> None:
    assert complete_formats("c") == ["cmake", "cmsis-pack"]
    assert complete_cores("cortex-m5") == ["cortex-m55"]
    assert set(complete_cores("")) == {
        "cortex-m55",
        "cortex-m4",
        "cortex-m3",
        "cortex-m0plus",
        "rv32imc",
        "portable",
    }
