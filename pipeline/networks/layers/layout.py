# SPDX-License-Identifier: Apache-2.0
"""How gradients lie in memory."""

from __future__ import annotations

import torch
from torch import Tensor


def keep_layout(*tensors: Tensor) -> None:
    """Has gradients of these float[N,C,H,W] lie in memory as they do themselves, where that is channels last.

    What pools or reshapes such a tensor gives it a gradient of another layout, and batch norms on the way back are then
    up to eight times slower on a CPU.
    """
    for x in tensors:
        if x.requires_grad and x.is_contiguous(memory_format=torch.channels_last):
            x.register_hook(lambda gradient: gradient.contiguous(memory_format=torch.channels_last))
