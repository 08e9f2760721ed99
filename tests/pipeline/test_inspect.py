# SPDX-License-Identifier: Apache-2.0
"""`dimmer inspect`: what a file holds, and whether a firmware can be made of it."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dimmer.pipeline.artifacts.converted import Converted, ConvertedMode
from dimmer.pipeline.core.closure import ROOT
from tests.firmware_gen.modes import write_modes
from tests.firmware_gen.networks import tiny_resnet
from tests.firmware_gen.read.damaged import single
from tests.pipeline.hosted.examples import modes_folder
from tests.pipeline.shared_models import KWS, RESNET, SHARED

MACS = {KWS: 2_656_768, RESNET: 12_501_632}
"""As ../shared/models/README.md says."""


def inspect(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline.inspect", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def document(*words: object, status: int = 0) -> Any:
    done = inspect(*words, "--json")
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


@pytest.mark.shared
def test_models_from_elsewhere() -> None:
    found = document(KWS, RESNET, "--target", "mps2-an386")
    for model, path in zip(found["models"], (KWS, RESNET), strict=True):
        assert (model["file"], model["bytes"]) == (str(path), path.stat().st_size)
        assert model["macs"] == MACS[path] == sum(operator["macs"] for operator in model["operators"])
        assert model["refusals"] == []
        assert model["plan"]["arena"] >= model["plan"]["lower_bound"] > 0
        assert any(name.endswith("_dsp") for operator in model["operators"] for name in operator["kernels"])
    # Two networks are not two modes of one.
    assert found["together"]["plan"] is None
    assert "give the residual stream one calibration range" in found["together"]["refusals"][0]
    assert (found["models"][1]["operators"][0]["kind"], len(found["models"][1]["operators"])) == ("CONV_2D", 16)


def test_every_operator_that_is_refused_is_named(tmp_path: Path) -> None:
    path = tmp_path / "elu.tflite"
    path.write_bytes(single("ELU"))
    model = document(path, status=1)["models"][0]
    assert [operator["index"] for operator in model["operators"] if operator["refusals"]] == [0]
    assert model["plan"] is None
    assert "ELU (y) is not supported; " in model["operators"][0]["refusals"][0]


@pytest.mark.shared
def test_models_of_others_are_shown() -> None:
    for name in ("detection", "har", "trained_lstm_int8", "vad"):
        shown = inspect(SHARED / "foreign" / f"{name}.tflite")
        assert shown.returncode == 0
        assert shown.stdout.splitlines()[-1] == f"{name}.tflite: a firmware can be made of it"


def test_the_page(tmp_path: Path) -> None:
    path = tmp_path / "tiny.tflite"
    path.write_bytes(tiny_resnet())
    done = inspect(path, "--tensors")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "tiny.tflite: a firmware can be made of it"
    assert lines[0].strip() == f"{path}, {path.stat().st_size:,} bytes"
    assert "SOFTMAX" in done.stdout
    assert "softmax_s8" in done.stdout
    assert "zero point" in done.stdout


@pytest.mark.slow
def test_damaged_and_other_files_are_one_line(tmp_path: Path) -> None:
    files = {
        "cut.tflite": tiny_resnet()[:700],
        "empty.tflite": b"",
        "zip.tflite": b"PK\3\4" * 50,
        "cut.safetensors": (1000).to_bytes(8, "little") + b"{}",
        "noise.safetensors": b"\xff" * 100,
        "notes.txt": b"hello",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    for name in (*files, "folder", "nowhere.tflite", "nowhere.safetensors"):
        done = inspect(tmp_path / name)
        assert done.returncode == 2, name
        assert done.stdout == ""
        assert done.stderr.startswith("error: ")
        assert len(done.stderr.splitlines()) == 1, done.stderr


def test_a_refused_file_gives_status_1_and_a_target_that_takes_none_2(tmp_path: Path) -> None:
    path = tmp_path / "elu.tflite"
    path.write_bytes(single("ELU"))
    done = inspect(path)
    assert done.returncode == 1
    assert "have none either; train with RELU6 or HARD_SWISH" in done.stdout
    assert inspect(path, "--target", "jetson").returncode == 2
    assert inspect(path, "--target", "lamp").stderr.startswith("error: unknown target 'lamp'")


def test_files_are_modes_of_one_network_too(tmp_path: Path) -> None:
    modes_folder(tmp_path)
    found = document(*(tmp_path / "sources" / f"{name}.tflite" for name in ("888", "880", "800")))
    together = found["together"]
    assert together["refusals"] == []
    assert together["plan"]["modes"] == ["888", "880", "800"]
    alone = [model["plan"]["weights"] for model in found["models"]]
    assert together["plan"]["weights"] == max(alone) < sum(alone)


def test_modes_of_a_build_that_do_not_meet_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "build" / "blocks" / "convert"
    folder.mkdir(parents=True)
    whole, *others = write_modes(folder)
    modes = tuple(ConvertedMode(m.name, m.path.name, m.boundaries) for m in (whole, *others))
    Converted(("stem", "0", "1", "2", "head"), modes).save(folder)
    assert document(folder.parent)["together"]["refusals"] == []
    Converted(("stem", "0"), (modes[0], dataclasses.replace(modes[1], boundaries=("stem",)))).save(folder)
    refused = document(folder.parent, status=1)["together"]["refusals"]
    assert "name the same boundaries" in refused[0]
