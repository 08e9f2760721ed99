# SPDX-License-Identifier: Apache-2.0
"""Activation-range estimators: min-max, percentile, mean squared error and entropy.

All four look at one `Histogram` of a tensor, so that the data is seen twice (once for its bounds, once for its counts)
however many estimators are asked. The entropy estimator follows the idea of TensorRT's calibrator (Migacz, GTC 2017):
the clipping threshold whose quantised distribution loses least in Kullback-Leibler divergence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dimmer.calibration.errors import CalibrationError

BINS = 2048
CANDIDATES = 64


@dataclass(frozen=True)
class Range:
    """A calibration range in real units.

    Attributes:
        low: smallest real value that the tensor's codes can express; never above 0.
        high: largest; never below 0, and above `low`.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high)):
            raise CalibrationError(
                f"range [{self.low}, {self.high}] is not finite: the network diverged; train it with a smaller rate"
            )
        if not self.low <= 0.0 <= self.high or self.low == self.high:
            raise ValueError(f"range [{self.low}, {self.high}] must contain 0 and more")

    @staticmethod
    def covering(low: float, high: float) -> Range:
        """The smallest valid range that holds [low, high] and 0; a tensor that is always 0 gets [0, 1].

        Examples:
            >>> Range.covering(0.5, 2.0)
            Range(low=0.0, high=2.0)
        """
        low, high = min(float(low), 0.0), max(float(high), 0.0)
        return Range(low, high if high > low else low + 1.0)


@dataclass(frozen=True)
class Affine:
    """int8 quantisation of one tensor: real = scale * (code - zero_point)."""

    scale: float
    zero_point: int


def affine(r: Range) -> Affine:
    """The int8 grid of a range: 256 codes, the zero exactly on one of them.

    The arithmetic is the quantizer's (float64 scale, rounded zero point), so that what is simulated is what is
    converted.

    Examples:
        >>> affine(Range(-2.0, 1.984375))
        Affine(scale=0.015625, zero_point=0)
    """
    scale = (r.high - r.low) / 255.0
    return Affine(scale, int(np.clip(np.rint(-128.0 - r.low / scale), -128, 127)))


@dataclass(frozen=True)
class Histogram:
    """Counts of a tensor's values over equal bins between its smallest and largest value.

    Attributes:
        low: left edge of the first bin.
        high: right edge of the last one.
        counts: int64[BINS].
    """

    low: float
    high: float
    counts: npt.NDArray[np.int64]

    @staticmethod
    def of(values: npt.NDArray[np.float32], low: float, high: float) -> Histogram:
        """Counts `values` between two bounds that the caller has found before (so that batches can be merged)."""
        if not high > low:
            high = low + 1e-6
        counts, _ = np.histogram(values, bins=BINS, range=(low, high))
        return Histogram(low, high, counts.astype(np.int64))

    def merged(self, other: Histogram) -> Histogram:
        """The histogram of both data sets; the bounds must be equal."""
        if (self.low, self.high) != (other.low, other.high):
            raise ValueError("histograms with different bounds cannot be merged")
        return Histogram(self.low, self.high, self.counts + other.counts)

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        """float64[BINS]: the value that stands for each bin."""
        width = (self.high - self.low) / BINS
        centres: npt.NDArray[np.float64] = self.low + width * (np.arange(BINS, dtype=np.float64) + 0.5)
        return centres


def min_max(h: Histogram) -> Range:
    """The whole range that was seen."""
    return Range.covering(h.low, h.high)


def percentile(h: Histogram, percent: float) -> Range:
    """Cuts (100 - percent) % of the values, from each end that reaches beyond 0.

    Args:
        percent: in (50, 100].

    Examples:
        >>> values = np.concatenate([np.ones(99, np.float32), np.full(1, 64, np.float32)])
        >>> found = percentile(Histogram.of(values, 0.0, 64.0), 99.0)
        >>> found.low, round(found.high)
        (0.0, 1)
    """
    if not 50.0 < percent <= 100.0:
        raise ValueError(f"percentile must be in (50, 100], not {percent}")
    total = int(h.counts.sum())
    upto = np.cumsum(h.counts)
    cut = total * (100.0 - percent) / 100.0
    edges = np.linspace(h.low, h.high, BINS + 1)
    first = int(np.searchsorted(upto, cut, side="right"))
    last = int(np.searchsorted(upto, total - cut, side="left"))
    low = 0.0 if h.low >= 0.0 else float(edges[min(first, BINS - 1)])
    high = 0.0 if h.high <= 0.0 else float(edges[min(last, BINS - 1) + 1])
    return Range.covering(low, high)


def _candidates(h: Histogram) -> list[Range]:
    """Ranges shrunk towards 0, from the full one to a fifth of it."""
    shrink = np.linspace(1.0, 0.2, CANDIDATES)
    return [Range.covering(h.low * s, h.high * s) for s in shrink]


def _rounded(values: npt.NDArray[np.float64], r: Range) -> npt.NDArray[np.float64]:
    grid = affine(r)
    codes = np.clip(np.rint(values / grid.scale) + grid.zero_point, -128, 127)
    rounded: npt.NDArray[np.float64] = (codes - grid.zero_point) * grid.scale
    return rounded


def mean_squared_error(h: Histogram) -> Range:
    """The range whose int8 codes come closest to the values in the mean of squares."""
    centres, weights = h.centres, h.counts / max(1, int(h.counts.sum()))
    errors = [float(np.sum(weights * (_rounded(centres, r) - centres) ** 2)) for r in _candidates(h)]
    return _candidates(h)[int(np.argmin(errors))]


def entropy(h: Histogram) -> Range:
    """The range whose quantised distribution has the smallest KL divergence from the measured one.

    Values beyond a candidate range count as its outermost codes on both sides of the comparison: the reference keeps
    its outliers at the clip, the quantised distribution is spread evenly over the bins that share a code.
    """
    centres = h.centres
    best, best_divergence = min_max(h), np.inf
    for r in _candidates(h):
        grid = affine(r)
        inside = (centres >= r.low) & (centres <= r.high)
        if not inside.any():
            continue
        reference = np.where(inside, h.counts, 0).astype(np.float64)
        index = np.flatnonzero(inside)
        reference[index[0]] += h.counts[: index[0]].sum()
        reference[index[-1]] += h.counts[index[-1] + 1 :].sum()
        codes = (np.clip(np.rint(centres / grid.scale) + grid.zero_point, -128, 127) + 128).astype(np.int64)
        occupied = inside & (h.counts > 0)
        mass = np.bincount(codes[inside], weights=h.counts[inside], minlength=256)
        bins = np.bincount(codes[occupied], minlength=256)
        spread = np.zeros(BINS)
        spread[occupied] = mass[codes[occupied]] / bins[codes[occupied]]
        seen = reference > 0
        if (spread[seen] <= 0).any():
            # A code that only clipped outliers fall into: give it what one observation would.
            spread[seen & (spread <= 0)] = 1.0
        p, q = reference[seen] / reference[seen].sum(), spread[seen] / spread[seen].sum()
        divergence = float(np.sum(p * np.log(p / q)))
        if divergence < best_divergence:
            best, best_divergence = r, divergence
    return best


METHODS = ("minmax", "percentile", "mse", "entropy")


def estimate(method: str, h: Histogram, percent: float) -> Range:
    """The range of one estimator, by name (see `METHODS`)."""
    match method:
        case "minmax":
            return min_max(h)
        case "percentile":
            return percentile(h, percent)
        case "mse":
            return mean_squared_error(h)
        case "entropy":
            return entropy(h)
    raise ValueError(f"unknown range estimator '{method}': one of {', '.join(METHODS)}")
