# SPDX-License-Identifier: Apache-2.0
"""A package that is missing is told with what brings it."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core import extras
from dimmer.pipeline.core.extras import (
    explain,
    missing_distributions,
    missing_packages,
    require_extra,
    require_packages,
)
from tests.firmware_gen.networks import tiny_resnet

LINES = ["numpy==2.4.6", 'torch==2.13.0; extra == "train"', "apache-tvm==1; extra == 'tvm'"]


def test_what_an_extra_brings_is_named() -> None:
    told = explain(ModuleNotFoundError("No module named 'torch'", name="torch.nn"))
    assert str(told) == "torch.nn is not installed: type pip install 'dimmer-nn[train]' for training and conversion"
    assert explain(ModuleNotFoundError("No module named 'lamp'", name="lamp")) is None


@pytest.mark.parametrize(("extra", "missing"), [("", []), ("train", ["torch"]), ("tvm", ["apache-tvm"]), ("dev", [])])
def test_missing_distributions(monkeypatch: pytest.MonkeyPatch, extra: str, missing: list[str]) -> None:
    def version(name: str) -> str:
        if name == "numpy":
            return "2.4.6"
        raise PackageNotFoundError(name)

    monkeypatch.setattr(extras, "requires", lambda _name: LINES)
    monkeypatch.setattr(extras, "version", version)
    assert missing_distributions(extra) == missing


def test_where_nothing_is_installed_it_is_the_package_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> list[str]:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(extras, "requires", requires)
    monkeypatch.setattr(extras, "version", requires)
    assert missing_distributions("train") == ["dimmer-nn"]


def test_all_of_an_extra_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"dimmer-nn": "1", "numpy": "2.4.6"}

    def version(name: str) -> str:
        if name not in here:
            raise PackageNotFoundError(name)
        return here[name]

    monkeypatch.setattr(extras, "requires", lambda _name: [*LINES, 'onnx==1; extra == "train"'])
    monkeypatch.setattr(extras, "version", version)
    with pytest.raises(DimmerError, match=r"^torch, onnx not installed: type pip install 'dimmer-nn\[train\]'$"):
        require_extra("train")
    require_extra("")
    del here["dimmer-nn"]
    require_extra("train")


FIRMWARE_ROAD = """
import importlib, sys

class Missing:
    \"\"\"As if pip had installed what the firmware road needs, and nothing else.\"\"\"

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)

BLOCKED = set(sys.argv[1].split(","))
sys.meta_path.insert(0, Missing())
cli = importlib.import_module("dimmer.pipeline.cli")
sys.argv = ["dimmer", *sys.argv[2:]]
cli.main()
"""
BLOCKED = "torch,safetensors,mlxtend,onnx,onnxruntime,onnxsim,onnx2tf,tensorflow,tf_keras,ai_edge_quantizer,tvm,tvm_ffi"


def without_extras(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", FIRMWARE_ROAD, BLOCKED, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_road_from_a_tflite_needs_no_extra(tmp_path: Path) -> None:
    (tmp_path / "lamp.tflite").write_bytes(tiny_resnet())
    done = without_extras(tmp_path, "firmware", "--tflite", "lamp.tflite", "--target", "host", "--out", "made")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made" / "dimmer_lamp.c").is_file()
    for words in (["inspect", "lamp.tflite"], ["models"], ["targets"], ["doctor"], ["clean", "--build-dir", "none"]):
        done = without_extras(tmp_path, *words)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("verb", ["train", "calibrate", "build"])
def test_a_verb_that_needs_an_extra_names_it(tmp_path: Path, verb: str) -> None:
    target = ["--target", "host"] if verb == "build" else []
    done = without_extras(tmp_path, verb, *target, "--build-dir", str(tmp_path / "build"))
    assert done.returncode == 2
    assert "is not installed: type pip install 'dimmer-nn[train]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_packages() -> None:
    assert missing_packages(["numpy", "no-such-lamp"]) == ["no-such-lamp"]


def test_required_packages() -> None:
    require_packages(["numpy"], "rtl")
    with pytest.raises(DimmerError, match=r"^no-such-lamp not installed: type pip install 'dimmer-nn\[rtl\]'$"):
        require_packages(["numpy", "no-such-lamp"], "rtl")
