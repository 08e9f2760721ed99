# SPDX-License-Identifier: Apache-2.0
"""Weights on their own int8 grid: the step that lets every sub-network share one blob.

Each output channel is rounded to w = q * s with max |q| = 127. Folding *any* batch norm with a positive gain into such
a weight changes s alone, so the codes that a standard converter finds are the same in every mode
(docs/architecture.md, rule 1).
"""

from __future__ import annotations

import torch
from torch import Tensor

SLICES = {4: (4, 7), 2: (6, 1)}
"""Bits of a weight -> (right shift of its int8 code, largest magnitude of the slice)."""
UNITS = {4: 1, 2: 7}
"""Bits of a weight -> its code for a slice of 1. A bias is a whole number of steps of input times weight: with 2-bit
weights of -7, 0 and 7 it is seven times as fine as with -1, 0 and 1, where its rounding alone would cost accuracy."""


DEAD = 1e-6
"""A channel without a weight over this died in training: next to the epsilon of its norm its variance is nothing, and
its output is the norm's offset."""


def to_grid(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Rounds a weight to its per-channel symmetric int8 grid.

    A channel that died has a single code of 127, worth `DEAD`: converters want one to take the step from.

    Args:
        weight: float[O, ...], output channels first.

    Returns:
        (codes int8[O, ...] with max |code| = 127 in every channel, scale float64[O]).
    """
    flat = weight.detach().to(torch.float64).flatten(1)
    largest = flat.abs().amax(1)
    dead = largest < DEAD
    scale = largest.clamp(min=DEAD) / 127.0
    codes = torch.clamp(torch.round(flat / scale[:, None]), -127, 127).to(torch.int8)
    codes[dead] = 0
    codes[dead, 0] = 127
    return codes.reshape(weight.shape), scale


def room_for_bias(scale: Tensor, bias: Tensor) -> Tensor:
    """The step of a folded weight, raised where it is so small beside the bias that this would not fit int32.

    Args:
        scale: float64[O]; bias: float64[O].

    Returns:
        float64[O]: with inputs whose step is over 1/256, a bias is less than 2^30 steps of input times weight.
    """
    return torch.maximum(scale, bias.abs() * 2.0**-22)


def slice_codes(codes: Tensor, bits: int) -> tuple[Tensor, float]:
    """The codes of a narrower weight: a slice of the int8 ones, rounded half up, in INT4.

    Args:
        codes: int8[O, ...].
        bits: 8, 4 or 2.

    Returns:
        (int8[O, ...], -7..7, or one of -7, 0, 7; how many int8 steps one step of them stands for).

    Examples:
        >>> slice_codes(torch.tensor([127, 8, 7, -24], dtype=torch.int8), 4)
        (tensor([ 7,  1,  0, -1], dtype=torch.int8), 16.0)
    """
    if bits == 8:
        return codes, 1.0
    shift, largest = SLICES[bits]
    wide = (codes.to(torch.int16) + (1 << (shift - 1))) >> shift
    unit = UNITS[bits]
    return wide.clamp(-largest, largest).to(torch.int8) * unit, (1 << shift) / unit


def from_grid(codes: Tensor, scale: Tensor) -> Tensor:
    """float32[O, ...] = codes * scale, each product rounded once."""
    shape = (-1,) + (1,) * (codes.dim() - 1)
    return (codes.to(torch.float64) * scale.reshape(shape)).to(torch.float32)


def fold_norm(
    scale: Tensor, bias: Tensor | None, mean: Tensor, var: Tensor, gamma: Tensor, beta: Tensor, eps: float
) -> tuple[Tensor, Tensor]:
    """Folds a batch norm into a weight that lies on its grid.

    Args:
        scale: float64[O], the grid's step.
        bias: float[O] of the convolution, if it has one.
        mean: float[O] of the norm, as `var`, `gamma` and `beta` are.

    Returns:
        (the folded grid's step float64[O], the folded bias float64[O]).

    Raises:
        ValueError: a gamma is not positive; it would turn the sign of the codes, and the blob could not be shared.
    """
    if not bool((gamma > 0).all()):
        channel = int(torch.argmin(gamma))
        raise ValueError(
            f"gamma of channel {channel} is {float(gamma[channel]):g}; shared weights need positive gammas"
        )
    gain = gamma.double() / torch.sqrt(var.double() + eps)
    start = torch.zeros_like(gain) if bias is None else bias.double()
    return scale * gain, beta.double() + (start - mean.double()) * gain
