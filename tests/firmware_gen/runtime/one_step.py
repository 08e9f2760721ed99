# SPDX-License-Identifier: Apache-2.0
"""Runs a step as the generator made it, on the host."""

from __future__ import annotations

import ctypes

import numpy as np

from dimmer.firmware_gen.lower.steps import Buffer, Params, Scratch, Shifts, Step, Weights
from tests.firmware_gen.runtime.c_library import Arena, Constants


def run_step(library: ctypes.CDLL, step: Step, buffers: dict[int, np.ndarray], size: int) -> np.ndarray:
    """The output, int8[size], of a step that reads `buffers`; it may take the place of one of them."""
    constants, arena = Constants(), Arena()
    places = {number: arena.place(content.nbytes, content) for number, content in buffers.items()}
    if step.writes not in places:
        places[step.writes] = arena.place(size)
    scratch = arena.place(step.scratch_bytes)
    values: list[int | float | tuple[int, ...]] = []
    for value in step.values:
        match value:
            case Buffer():
                values.append(places[value.id] + value.offset)
            case Scratch():
                values.append(scratch)
            case Weights():
                values.append(constants.add_weights(np.frombuffer(value.data, dtype=np.int8)))
            case Params():
                values.append(constants.add_params(value.values))
            case Shifts():
                values.append(constants.add_shifts(value.values))
            case _:
                values.append(value)
    constants.run(library, step.kernel.name, step.kernel.pack(tuple(values)), arena)
    return arena.read(places[step.writes], (size,))
