# SPDX-License-Identifier: Apache-2.0
"""The script that runs TFLite-Micro, with a package of that name that answers what it is given."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dimmer.firmware_gen.graph.micro import Reference
from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, run_oracle
from dimmer.pipeline.oracle.micro import PYTHON

PACKAGE = """
import os
import numpy as np

class Interpreter:
    def __init__(self, model):
        self.model, self.values = model, []
    @classmethod
    def from_bytes(cls, model, arena_size):
        if model == b"large" and arena_size < 1 << 26:
            raise RuntimeError("too small")
        if model == b"broken":
            raise ValueError("no model")
        if model == b"crash":
            os.abort()
        return cls(model)
    def get_input_details(self, place):
        if place > 1:
            raise IndexError(place)
        return {"shape": np.array([1, 2]), "dtype": (np.int8, np.int16)[place]}
    def get_output_details(self, place):
        if place:
            raise IndexError(place)
        return {"shape": np.array([1, 2]), "dtype": np.int8}
    def set_input(self, values, place):
        self.values.append((place, values.tolist()))
    def invoke(self):
        pass
    def get_output(self, place):
        assert [place for place, _ in self.values[-2:]] == [1, 0]
        (_, wide), (_, narrow) = self.values[-2:]
        return np.array(wide[0]) .astype(np.int8) + np.array(narrow[0], np.int8)
"""


def test_jobs_are_answered_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tflite_micro").mkdir()
    (tmp_path / "tflite_micro" / "__init__.py").write_text("from . import runtime\n")
    (tmp_path / "tflite_micro" / "runtime.py").write_text(PACKAGE)
    monkeypatch.setenv(PYTHON, sys.executable)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    jobs = []
    for name in ("small", "large", "broken", "crash"):
        (tmp_path / name).write_bytes(name.encode())
        # Of each inference the two int16 come first.
        jobs.append(OracleJob(tmp_path / name, bytes([1, 0, 2, 0, 10, 20]) * 2, Reference.TFLM))
    small, large, broken, crash = run_oracle(jobs)
    assert small == large == bytes([11, 22, 11, 22])
    assert broken == OracleFailure("no model")
    assert crash == OracleFailure("it was ended by SIGABRT")
