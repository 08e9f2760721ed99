# SPDX-License-Identifier: Apache-2.0
"""Watching and simulating quantised tensors through a network's taps.

A network under calibration is a callable `forward(x, tap) -> logits` that calls `tap(site, tensor)` for every tensor
that will be quantised and goes on with what the tap returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from dimmer.calibration.ranges import BINS, Affine, Histogram, Range, affine
from dimmer.processes import spread

Tap = Callable[[str, Tensor], Tensor]
"""Called with every site's name and tensor; what it returns goes on (to record, or to quantise in simulation)."""
Forward = Callable[[Tensor, Tap], Tensor]
_COUNTED_EXACTLY = 1 << 24
"""Values of which torch.histc, which counts in float32, can put all into one bin: one more is lost."""


@runtime_checkable
class InParts(Protocol):
    """A network that can be run from the middle: its parts one after another compute what it computes."""

    def parts(self) -> Sequence[Forward]:
        """Each takes what the one before it returns, and calls the tap for its own sites."""


def parts_of(forward: Forward) -> Sequence[Forward]:
    """The parts of a network; itself where it has none."""
    return forward.parts() if isinstance(forward, InParts) else (forward,)


@dataclass(frozen=True)
class Bounds:
    """Smallest and largest value seen at a site."""

    low: float
    high: float

    def joined(self, other: Bounds | None) -> Bounds:
        """Of all that both saw; itself where there is no other."""
        return self if other is None else Bounds(min(self.low, other.low), max(self.high, other.high))


def observe_bounds(forward: Forward, batches: Sequence[Tensor]) -> dict[str, Bounds]:
    """The extremes of every site over the batches, in execution order; several processes share the batches."""

    def of_batch(batch: Tensor) -> dict[str, Bounds]:
        seen: dict[str, Bounds] = {}

        def tap(site: str, x: Tensor) -> Tensor:
            low, high = (float(v) for v in torch.aminmax(x))
            seen[site] = Bounds(low, high).joined(seen.get(site))
            return x

        with torch.no_grad():
            forward(batch, tap)
        return seen

    found: dict[str, Bounds] = {}
    for seen in spread(batches, of_batch):
        found |= {site: bounds.joined(found.get(site)) for site, bounds in seen.items()}
    return found


def observe_histograms(
    forward: Forward, batches: Sequence[Tensor], bounds: Mapping[str, Bounds]
) -> dict[str, Histogram]:
    """Counts of a site's values between bounds that hold for all networks that share the site's range; several
    processes share the batches.

    Args:
        bounds: of the sites to count; with none the network is not run.
    """

    def of_batch(batch: Tensor) -> dict[str, Histogram]:
        seen: dict[str, Histogram] = {}

        def tap(site: str, x: Tensor) -> Tensor:
            if site not in bounds:
                return x
            b = bounds[site]
            high = b.high if b.high > b.low else b.low + 1e-6
            h = Histogram(b.low, high, _counts(x.detach().to(torch.float32), b.low, high).numpy())
            seen[site] = seen[site].merged(h) if site in seen else h
            return x

        with torch.no_grad():
            forward(batch, tap)
        return seen

    found: dict[str, Histogram] = {}
    for seen in spread(batches if bounds else (), of_batch):
        found |= {site: found[site].merged(h) if site in found else h for site, h in seen.items()}
    return found


def _counts(x: Tensor, low: float, high: float) -> Tensor:
    """Values in each bin between two bounds, int64[BINS], of float32 of any shape."""
    found = torch.zeros(BINS, dtype=torch.int64)
    for part in x.reshape(-1).split(_COUNTED_EXACTLY):
        found += torch.histc(part, BINS, low, high).to(torch.int64)
    return found


def fake_quantise(x: Tensor, grid: Affine) -> Tensor:
    """Float -> int8 code -> float, with rounding half to even and saturation."""
    codes = x.div(grid.scale).round_().add_(grid.zero_point).clamp_(-128, 127)
    return codes.sub_(grid.zero_point).mul_(grid.scale)


def quantising_tap(ranges: Mapping[str, Range]) -> Tap:
    """A tap that quantises the sites that have a range and passes the others."""
    grids = {site: affine(r) for site, r in ranges.items()}

    def tap(site: str, x: Tensor) -> Tensor:
        grid = grids.get(site)
        return x if grid is None else fake_quantise(x, grid)

    return tap


@dataclass(frozen=True)
class SiteError:
    """How far a site of the quantised network is from the same site in float.

    Attributes:
        sqnr_db: signal power over error power, in dB; errors of all sites before it included.
        clipped: share of the float values outside the range.
    """

    sqnr_db: float
    clipped: float


def site_errors(forward: Forward, batches: Sequence[Tensor], ranges: Mapping[str, Range]) -> dict[str, SiteError]:
    """The resulting error at every site, with all sites quantised at once."""
    signal: dict[str, float] = {}
    noise: dict[str, float] = {}
    outside: dict[str, float] = {}
    count: dict[str, int] = {}
    quantise = quantising_tap(ranges)
    with torch.no_grad():
        for batch in batches:
            exact: dict[str, Tensor] = {}

            def keep(site: str, x: Tensor, exact: dict[str, Tensor] = exact) -> Tensor:
                exact[site] = x
                return x

            def compare(site: str, x: Tensor, exact: dict[str, Tensor] = exact) -> Tensor:
                y, reference = quantise(site, x), exact[site]
                signal[site] = signal.get(site, 0.0) + float((reference.double() ** 2).sum())
                noise[site] = noise.get(site, 0.0) + float(((y - reference).double() ** 2).sum())
                r = ranges[site]
                out = int(((reference < r.low - 1e-6) | (reference > r.high + 1e-6)).sum())
                outside[site] = outside.get(site, 0.0) + out
                count[site] = count.get(site, 0) + reference.numel()
                return y

            forward(batch, keep)
            forward(batch, compare)
    tiny = 1e-30
    return {
        site: SiteError(
            float(10 * torch.log10(torch.tensor((signal[site] + tiny) / (noise[site] + tiny)))),
            outside[site] / count[site],
        )
        for site in signal
    }
