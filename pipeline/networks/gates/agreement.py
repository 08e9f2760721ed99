# SPDX-License-Identifier: Apache-2.0
"""How often two sets of gates choose alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Agreement:
    """How often the gates choose alike.

    Attributes:
        blocks: share of the blocks with equal bits.
        inputs: share of the inputs with equal bits in all blocks.
    """

    blocks: float
    inputs: float


def compare(first: NDArray[np.int64], second: NDArray[np.int64]) -> Agreement:
    """Of the bits of int64[N, blocks]."""
    same = first == second
    return Agreement(float(same.mean()), float(same.all(1).mean()))
