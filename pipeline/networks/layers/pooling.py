# SPDX-License-Identifier: Apache-2.0
"""Max pooling that halves height and width, as converters and int8 have it."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def halved(x: Tensor) -> Tensor:
    """The largest of 3x3, with a stride of 2, of float[N,C,H,W] that is not negative -> float[N,C,(H+1)/2,(W+1)/2].

    It is padded with 0, which converters know to be a PAD, and not with minus infinity, which has no int8 code.
    """
    return F.max_pool2d(F.pad(x, (1, 1, 1, 1)), 3, 2)
