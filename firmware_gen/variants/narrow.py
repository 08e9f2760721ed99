# SPDX-License-Identifier: Apache-2.0
"""Which convolutions have inputs and weights of 4 or 2 bits, whatever their weights are stored as.

Inputs of 8 bits with narrower weights gain nothing by more products: their kernels are those for 8 bits with slices,
`sliced.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from dimmer.firmware_gen.graph.slices import SLICES, UNITS, sliced
from dimmer.firmware_gen.lower.steps import Step, Weights
from dimmer.firmware_gen.variants.conv import number, weights_of

HIGH = {4: 15, 2: 3}
"""Bits -> largest input, counted from 0."""

_PAIRS = ((2, 2), (4, 2), (4, 4))
"""Bits of inputs and of weights, the cheapest first."""


@dataclass(frozen=True, slots=True)
class Narrow:
    """A convolution with narrow inputs and weights.

    Attributes:
        input_bits: 4 or 2.
        weight_bits: 4 or 2.
        weights: int8 codes of which the weights are slices.
        slices: the weights without their unit, int64[output_c, kernel_h, kernel_w, input_c].
    """

    input_bits: int
    weight_bits: int
    weights: Weights
    slices: npt.NDArray[np.int64]

    @property
    def high(self) -> int:
        """Largest input, counted from 0."""
        return HIGH[self.input_bits]

    @property
    def apart(self) -> bool:
        """Whether weights are narrower than inputs."""
        return self.weight_bits != self.input_bits

    @property
    def unit(self) -> int:
        """What stands for a slice of 1."""
        return UNITS[self.weight_bits]


@lru_cache(maxsize=256)
def narrow_form(step: Step) -> Narrow | None:
    """The narrow form of a CONV_2D; None where it has none.

    A mode that shares its weights with one of 8 bits has their codes and the bits of a slice. One that is alone has
    weights of 8 bits that are small: codes are made up for them, where inputs are narrow.
    """
    if number(step, "input_zero_point") != -128:
        return None
    stored, bits = weights_of(step), number(step, "weight_bits")
    for inputs, width in _PAIRS:
        if step.input_high > HIGH[inputs] - 128 or bits not in (0, 8, width):
            continue
        codes = stored if bits == width else stored // UNITS[width] << SLICES[width][0]
        fits = np.abs(codes).max() <= 128
        values = sliced(codes.clip(-128, 127).astype(np.int8), width).astype(np.int64)
        if bits == width or (fits and (values == stored).all()):
            data = codes.astype(np.int8).tobytes()
            return Narrow(inputs, width, Weights(data, stored.shape), values // UNITS[width])
    return None
