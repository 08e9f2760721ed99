# SPDX-License-Identifier: Apache-2.0
"""Which Python runs TFLite-Micro."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.graph.micro import Reference
from dimmer.pipeline.oracle import micro


def python_that_says(folder: Path, text: str) -> Path:
    """A program in the place of a Python: it prints that it has the package, or has it not."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\necho {text}\n")
    path.chmod(0o755)
    return path


def test_a_python_that_is_named_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = python_that_says(tmp_path, "True")
    monkeypatch.setenv(micro.PYTHON, str(path))
    assert micro.micro_command() == [str(path), str(micro.WORKER)]
    assert micro.WORKER.is_file()


def test_a_python_is_named_from_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker runs in another folder; the link that a virtual environment's Python is must not be followed."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(python_that_says(tmp_path, "True"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(micro.PYTHON, "./bin/python")
    assert micro.micro_command() == [str(tmp_path / "bin" / "python"), str(micro.WORKER)]


def test_a_python_without_the_package_is_told_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = python_that_says(tmp_path, "False")
    monkeypatch.setenv(micro.PYTHON, str(path))
    with pytest.raises(DimmerError, match=f"has no package tflite-micro; type `{path} -m pip install tflite-micro`"):
        micro.micro_command()
    for content in ("#!/bin/sh\nexit 1\n", "\0"):
        path.write_text(content)
        with pytest.raises(DimmerError, match="is no Python; name one that has the package tflite-micro"):
            micro.micro_command()


def test_only_tflite_micro_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(micro.PYTHON, "/no/such/python")
    micro.require_reference(None)
    micro.require_reference(Reference.LITERT)
    with pytest.raises(DimmerError, match="is no program"):
        micro.require_reference(Reference.TFLM)


def test_a_python_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(micro.PYTHON, "/no/such/python")
    with pytest.raises(DimmerError, match="DIMMER_TFLM_PYTHON: /no/such/python is no program; name a Python"):
        micro.micro_command()


def test_without_the_package_the_line_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(micro.PYTHON, raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(DimmerError, match="`pip install tflite-micro`"):
        micro.micro_command()
