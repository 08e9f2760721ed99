# SPDX-License-Identifier: Apache-2.0
"""Anomalies: samples that a network which learnt to give normal ones back does not give back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dimmer.pipeline.data.encoding import INPUT_SCALE


def errors(outputs: NDArray[np.floating], targets: NDArray[np.int8]) -> NDArray[np.float64]:
    """By how much each sample is not given back: the mean squared error, float64[N]; targets int8[N,1+D]."""
    apart = outputs.astype(np.float64) - targets[:, 1:] * INPUT_SCALE
    found: NDArray[np.float64] = (apart * apart).mean(1)
    return found


def limit_of(outputs: NDArray[np.floating], targets: NDArray[np.int8]) -> float:
    """The error from which on a sample is called an anomaly: that which tells these samples apart best, anomalies and
    normal samples weighing the same; halfway to the next one.

    Args:
        targets: int8[N,1+D], of validation.
    """
    found, anomalous = errors(outputs, targets), targets[:, 0] > 0
    order = np.argsort(found, kind="stable")
    seen, bad = found[order], anomalous[order]
    if not bad.any() or bad.all():
        # Nothing to tell apart: the largest error is normal, or none is.
        return float(seen[-1]) if not bad.any() else 0.0
    # Over each place: what is above it is called an anomaly.
    hits = 1 - np.cumsum(bad) / bad.sum()
    quiet = np.cumsum(~bad) / (~bad).sum()
    # Equal errors are not told apart.
    last = np.append(seen[1:] > seen[:-1], True)
    best = int(np.argmax(np.where(last, hits + quiet, -1.0)))
    return float(seen[best] if best + 1 == len(seen) else (seen[best] + seen[best + 1]) / 2)
