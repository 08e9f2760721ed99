# SPDX-License-Identifier: Apache-2.0
"""The one encoding of a network's input: int8 code = pixel - 128, real value = code / 64."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor, device
from dimmer.pipeline.data.dataset import Images

INPUT_SCALE = 1 / 64

INPUT_ZERO_POINT = 0

INPUT_OFFSET = 128


def to_int8(images: Images) -> NDArray[np.int8]:
    """uint8 pixels -> the int8 codes that a quantised network reads, same shape.

    Examples:
        >>> to_int8(np.array([0, 128, 255], np.uint8))
        array([-128,    0,  127], dtype=int8)
    """
    return (np.asarray(images) ^ np.uint8(INPUT_OFFSET)).view(np.int8)


def to_input(images: Images, device: device | None = None) -> Tensor:
    """uint8[N,H,W,C] -> float32[N,C,H,W] = (pixel - 128) / 64, exact in float32; on the CPU or a torch device."""
    import torch

    return tensor_to_input(torch.from_numpy(np.ascontiguousarray(images)).to(device))


def tensor_to_input(images: Tensor) -> Tensor:
    """``to_input`` of a tensor uint8[N,H,W,C], where it lies; channels last in memory."""
    return (images.permute(0, 3, 1, 2).float() - INPUT_OFFSET) * INPUT_SCALE
