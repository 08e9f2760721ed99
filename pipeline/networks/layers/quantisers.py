# SPDX-License-Identifier: Apache-2.0
"""Nested quantisers: 4- and 2-bit weights are rounding slices of the int8 codes, activations share one clip.

The gradient passes straight through (Bengio et al., 2013); the grids are those of the device, so that what is trained
is what `deploy` folds and the firmware computes:

    q8 = round(w / s), s = max|w| / 127 of the output channel
    q4 = clamp((q8 + 8) >> 4, -7, 7)        q2 = clamp((q8 + 32) >> 6, -1, 1), deployed as -7, 0, 7

Both take a block's width, which may be a pair: weights of 4 bits with activations of 8, and so on (`modes/width.py`).
"""

from __future__ import annotations

import torch
from torch import Tensor

from dimmer.calibration.weights import SLICES
from dimmer.pipeline.modes.width import FULL_BITS, activation_bits, weight_bits

ACTIVATION_CLIP = 6.0
"""Upper end of every activation: ReLU6's. The full clip was better than 4, 3 and 2 at 4 bits."""


def activation_step(bits: int) -> float:
    """The step of an activation of 2^bits levels over [0, `ACTIVATION_CLIP`]."""
    return ACTIVATION_CLIP / ((1 << bits) - 1)


def quantise_activation(x: Tensor, bits: int) -> Tensor:
    """Rounds a ReLU6 output to the levels of a width; 8 bits pass, as their steps are calibrated after training."""
    if activation_bits(bits) == FULL_BITS:
        return x
    step = activation_step(activation_bits(bits))
    with torch.no_grad():
        error: Tensor = torch.round(x / step) * step - x
    return x + error


def quantise_weight(weight: Tensor, bits: int) -> Tensor:
    """float[O,I,H,W] on the grid of the 8-, 4- or 2-bit codes of a width, in the unit of the weight."""
    with torch.no_grad():
        flat = weight.float().flatten(1)
        step = (flat.abs().amax(1, keepdim=True) / 127.0).clamp(min=1e-12)
        codes = torch.round(flat / step)
        if weight_bits(bits) != FULL_BITS:
            shift, largest = SLICES[weight_bits(bits)]
            codes = torch.clamp(torch.floor(codes / 2**shift + 0.5), -largest, largest) * 2**shift
        error: Tensor = (codes * step).reshape(weight.shape) - weight
    return weight + error
