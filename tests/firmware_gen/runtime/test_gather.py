# SPDX-License-Identifier: Apache-2.0
"""GATHER by computed indexes against the stock interpreter's reference kernel, byte for byte; and indexes that a
program should not give: the interpreter stops, a firmware reads within its table.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.kernels.logic import GATHER
from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, run_oracle
from tests.firmware_gen.harness import Case, run_cases
from tests.firmware_gen.runtime.c_library import Arena, Constants
from tests.firmware_gen.runtime.one_op import OneTensor, one_op, reference
from tests.firmware_gen.runtime.records import SEEDS, pack, random_codes, random_quantisation, tensor
from tests.firmware_gen.tflite_builder import Layers


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_gather(library: ctypes.CDLL, seed: int, constant: bool) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(1, 6, int(rng.integers(1, 5))))
    places = tuple(int(n) for n in rng.integers(1, 5, int(rng.integers(1, 3))))
    axis = int(rng.integers(len(shape)))
    values, q = random_codes(rng, shape), random_quantisation(rng)
    indexes = rng.integers(0, shape[axis], places).astype(np.int32)
    # The last row for certain: nothing lies behind it.
    indexes.flat[0] = shape[axis] - 1
    total = (*shape[:axis], *places, *shape[axis + 1 :])
    given = [tensor(shape, q, values if constant else None), OneTensor(places, "int32")]
    options: dict[str, object] = {"axis": axis - int(rng.integers(2)) * len(shape), "batchDims": 0}
    file = one_op("GATHER", "GatherOptions", options, given, tensor(total, q))
    expected = reference(file, *([] if constant else [values]), indexes)
    constants, arena = Constants(), Arena()
    output = arena.place(int(np.prod(total)))
    record = pack(
        GATHER,
        input=constants.add_weights(values) if constant else arena.place(values.nbytes, values),
        indexes=arena.place(indexes.nbytes, indexes),
        output=output,
        outer=int(np.prod(shape[:axis])),
        depth=shape[axis],
        run=int(np.prod(shape[axis + 1 :])),
        count=indexes.size,
        input_blob=int(constant),
    )
    constants.run(library, GATHER.name, record, arena)
    np.testing.assert_array_equal(arena.read(output, total), expected)


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
