"""Leaving out images that are already learnt, without bias: Qin et al., InfoBatch (ICLR 2024)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def pruned(
    losses: NDArray[np.float32], share: float, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Which images an epoch sees, and how much each of them weighs in its loss.

    Of the images whose loss is below the mean a share is left out at random; the others of them weigh 1 / (1 - share),
    so that the expected gradient, summed over the epoch, is that of all images.

    Args:
        losses: float32[N], each image's loss when it was last seen; NaN for never, which keeps the image.
        share: 0 (all stay) to less than 1.
        rng: source of the choice.

    Returns:
        bool[N] of the images that stay, and float32[N] their weights.
    """
    seen = ~np.isnan(losses)
    mean = losses[seen].mean(dtype=np.float64) if seen.any() else 0.0
    learnt = seen & (np.nan_to_num(losses) < mean)
    stays = ~learnt | (rng.random(len(losses)) >= share)
    weights = np.where(learnt, 1 / (1 - share), 1.0).astype(np.float32)
    return stays, weights
