# SPDX-License-Identifier: Apache-2.0
"""Sums that broadcast and differences, by tables, against the stock interpreter's reference kernels."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from dimmer.firmware_gen.graph import fixed_point
from dimmer.firmware_gen.kernels import words
from dimmer.firmware_gen.variants.add_table import places_of
from tests.firmware_gen.runtime.c_library import Arena, Constants
from tests.firmware_gen.runtime.one_op import one_op, reference
from tests.firmware_gen.runtime.records import (
    ACTIVATION_CODES,
    ACTIVATIONS,
    Value,
    factors_of_a_sum,
    pack,
    random_codes,
    random_quantisation,
    tensor,
)
from tests.firmware_gen.variants.steps import add


@pytest.mark.parametrize("seed", range(16))
def test_sum_table(library: ctypes.CDLL, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kind = ("ADD", "SUB")[seed % 2]
    output_shape = tuple(int(x) for x in rng.integers(1, 9, 4))
    masks = [rng.random(4) < share for share in ((0.0, 0.6), (0.6, 0.0), (0.3, 0.3))[seed % 3]]
    masks[1] &= ~masks[0]
    shapes = [tuple(1 if one else n for one, n in zip(mask, output_shape, strict=True)) for mask in masks]
    q1, q2, q_out = (random_quantisation(rng) for _ in range(3))
    activation = ACTIVATIONS[seed % 3]
    inputs = [random_codes(rng, shape) for shape in shapes]
    file = one_op(
        kind,
        f"{kind.title()}Options",
        {"fusedActivationFunction": ACTIVATION_CODES[activation]},
        [tensor(shape, q) for shape, q in zip(shapes, (q1, q2), strict=True)],
        tensor(output_shape, q_out),
    )
    low, high = fixed_point.activation_range(activation, q_out)
    arena = Arena()
    places = [arena.place(values.nbytes, values) for values in inputs]
    scratch = arena.place(2048)
    whole = int(np.prod(output_shape))
    # Another buffer, and in place where an input has the output's shape.
    outputs = [arena.place(whole), *(at for at, values in zip(places, inputs, strict=True) if values.size == whole)]
    before = arena.memory.copy()
    fields: dict[str, Value] = {
        "dims": output_shape,
        "broadcast1": sum(1 << axis for axis in range(4) if masks[0][axis]),
        "broadcast2": sum(1 << axis for axis in range(4) if masks[1][axis]),
        "input1_blob": 0,
        "input2_blob": 0,
        **factors_of_a_sum(q1, q2, q_out),
        "zero_point1": q1.zero_point,
        "zero_point2": q2.zero_point,
        "output_zero_point": q_out.zero_point,
        "activation_min": low,
        "activation_max": high,
    }
    subtract = kind == "SUB"
    for output in outputs:
        for parts in {0, places_of(add(**fields), subtract=subtract)}:
            arena.memory[:] = before
            record = pack(
                words.SUM_TABLE,
                input1=places[0],
                input2=places[1],
                output=output,
                scratch=scratch,
                places=parts,
                subtract=int(subtract),
                **fields,
            )
            Constants().run(library, "dimmer_sum_s8_table", record, arena)
            np.testing.assert_array_equal(arena.read(output, output_shape), reference(file, *inputs))
