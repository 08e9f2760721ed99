# SPDX-License-Identifier: Apache-2.0
"""ADD by tables against the stock interpreter's reference kernels."""

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


@pytest.mark.parametrize("seed", range(12))
def test_add_table(library: ctypes.CDLL, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(int(x) for x in rng.integers(1, 9, 4))
    q1, q2, q_out = (random_quantisation(rng) for _ in range(3))
    activation = ACTIVATIONS[seed % 3]
    inputs = [random_codes(rng, shape) for _ in range(2)]
    file = one_op(
        "ADD",
        "AddOptions",
        {"fusedActivationFunction": ACTIVATION_CODES[activation]},
        [tensor(shape, q1), tensor(shape, q2)],
        tensor(shape, q_out),
    )
    low, high = fixed_point.activation_range(activation, q_out)
    arena = Arena()
    places = [arena.place(values.nbytes, values) for values in inputs]
    scratch = arena.place(2048)
    outputs = [arena.place(inputs[0].nbytes), *places]
    before = arena.memory.copy()
    fields: dict[str, Value] = {
        "dims": shape,
        "broadcast1": 0,
        "broadcast2": 0,
        "input1_blob": 0,
        "input2_blob": 0,
        **factors_of_a_sum(q1, q2, q_out),
        "zero_point1": q1.zero_point,
        "zero_point2": q2.zero_point,
        "output_zero_point": q_out.zero_point,
        "activation_min": low,
        "activation_max": high,
    }
    proven = places_of(add(**fields))
    for output in outputs:
        for parts in {0, proven}:
            arena.memory[:] = before
            record = pack(
                words.ADD_TABLE,
                input1=places[0],
                input2=places[1],
                output=output,
                scratch=scratch,
                places=parts,
                **fields,
            )
            Constants().run(library, "dimmer_add_s8_table", record, arena)
            np.testing.assert_array_equal(arena.read(output, shape), reference(file, *inputs))
