# SPDX-License-Identifier: Apache-2.0
"""Which Python runs TFLite-Micro."""

from __future__ import annotations

import sys

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.oracle import micro


def test_a_python_that_is_named_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(micro.PYTHON, sys.executable)
    assert micro.micro_command() == [sys.executable, str(micro.WORKER)]
    assert micro.WORKER.is_file()


def test_a_python_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(micro.PYTHON, "/no/such/python")
    with pytest.raises(DimmerError, match="DIMMER_TFLM_PYTHON: /no/such/python is no program; name a Python"):
        micro.micro_command()


def test_without_the_package_the_line_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(micro.PYTHON, raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(DimmerError, match="`pip install tflite-micro`"):
        micro.micro_command()
