# SPDX-License-Identifier: Apache-2.0
"""Indexes that a program should not give: the interpreter stops, a firmware reads within its table."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, run_oracle
from tests.firmware_gen.harness import Case, run_cases
from tests.firmware_gen.tflite_builder import Layers


def test_an_index_outside_becomes_the_nearest_one(tmp_path: Path) -> None:
    net = Layers(0)
    x = net.tensor("words", [6], "int32")
    rows = np.arange(12).reshape(4, 3)
    table = net.tensor("table", rows.shape, "int8", 0.1, 0, 0, rows)
    path = tmp_path / "table.tflite"
    path.write_bytes(net.build(x, net.operator("GATHER", [table, x], net.activation([6, 3], 0.1, 0, "y"), axis=0)))
    given = np.array([0, 3, 4, 2**31 - 1, -1, -(2**31)], "<i4").tobytes()
    (made,) = run_cases([Case("table", path, given)], tmp_path / "c")
    assert np.array_equal(np.frombuffer(made, np.int8).reshape(6, 3), rows[[0, 3, 3, 3, 0, 0]])
    (failed,) = run_oracle([OracleJob(path, given)])
    assert isinstance(failed, OracleFailure)
