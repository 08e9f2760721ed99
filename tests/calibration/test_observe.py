# SPDX-License-Identifier: Apache-2.0
"""What taps see, and what quantising does to it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dimmer.calibration import observe
from dimmer.calibration.assign import Settings
from dimmer.calibration.observe import Bounds, Tap, observe_bounds, observe_histograms, quantising_tap, site_errors
from dimmer.calibration.ranges import BINS, METHODS, Range
from tests.forked import in_processes


def forward_of(scale: float):  # type: ignore[no-untyped-def]
    def forward(x: torch.Tensor, tap: Tap) -> torch.Tensor:
        y = tap("hidden", torch.relu(tap("input", x)) * scale)
        return tap("logits", y.mean((2, 3)))

    return forward


BATCHES = [torch.randn(16, 4, 6, 6, generator=torch.Generator().manual_seed(i)) for i in range(2)]
SETTINGS = Settings(METHODS, 99.9, {"input": Range(-4.0, 4.0)})


def test_bounds_and_counts_cover_every_value() -> None:
    forward = forward_of(1.0)
    bounds = observe_bounds(forward, BATCHES)
    counts = observe_histograms(forward, BATCHES, bounds)
    assert int(counts["hidden"].counts.sum()) == sum(b.numel() for b in BATCHES)
    assert bounds["input"].low == min(float(b.min()) for b in BATCHES)


def test_counts_are_numpy_s_whatever_the_layout_and_however_they_are_sliced(monkeypatch: pytest.MonkeyPatch) -> None:
    # Multiples of the bins' width, so that no rounding decides.
    values = torch.randint(0, BINS, (3, 5, 7, 11), generator=torch.Generator().manual_seed(0)).float() + 0.5
    values[0, 0, 0, 0], values[0, 0, 0, 1] = 0.0, BINS
    expected = np.histogram(values.numpy(), BINS, (0, BINS))[0]
    for slices in (1 << 24, 100, 1):
        monkeypatch.setattr(observe, "_COUNTED_EXACTLY", slices)
        for x in (values, values.contiguous(memory_format=torch.channels_last)):
            found = observe_histograms(lambda x, tap: tap("x", x), [x, x], {"x": Bounds(0.0, BINS)})
            assert np.array_equal(found["x"].counts, 2 * expected)


def test_more_values_in_a_bin_than_float32_counts() -> None:
    many = (1 << 24) + 3
    found = observe_histograms(lambda x, tap: tap("x", x), [torch.zeros(many)], {"x": Bounds(0.0, 1.0)})
    assert found["x"].counts[0] == many


def test_two_processes_see_what_one_sees(tmp_path: Path) -> None:
    def seen() -> tuple[object, dict[str, list[int]]]:
        bounds = observe_bounds(forward_of(1.0), BATCHES)
        counts = observe_histograms(forward_of(1.0), BATCHES, bounds)
        return list(bounds.items()), {site: histogram.counts.tolist() for site, histogram in counts.items()}

    assert in_processes(tmp_path, 2, seen) == [seen()] * 2


def test_a_range_that_clips_shows_in_the_site_error() -> None:
    forward = forward_of(1.0)
    full = {s: Range.covering(b.low, b.high) for s, b in observe_bounds(forward, BATCHES).items()}
    good = site_errors(forward, BATCHES, full)
    bad = site_errors(forward, BATCHES, {**full, "hidden": Range(0.0, 0.5)})
    assert good["hidden"].clipped == 0.0
    assert bad["hidden"].clipped > 0.1
    assert bad["logits"].sqnr_db < good["logits"].sqnr_db - 10


def test_a_quantised_tensor_is_another_one_with_halves_rounded_to_even() -> None:
    """Codes of a range of 255 steps, its zero at -128; what lies outside saturates."""
    x = torch.tensor([0.0, 0.5, 1.5, 2.5, 253.6, 255.5, 300.0, -3.0])
    before = x.clone()
    found = quantising_tap({"a": Range(0.0, 255.0)})("a", x)
    assert found.tolist() == [0.0, 0.0, 2.0, 2.0, 254.0, 255.0, 255.0, 0.0]
    assert torch.equal(x, before)


def test_a_tap_without_ranges_changes_nothing() -> None:
    forward = forward_of(1.0)
    assert torch.equal(forward(BATCHES[0], quantising_tap({})), forward(BATCHES[0], lambda _s, x: x))
