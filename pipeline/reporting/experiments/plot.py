# SPDX-License-Identifier: Apache-2.0
"""The comparisons of a table as a picture: a dot a seed, a line for the interval of the mean."""

from __future__ import annotations

from dimmer.pipeline.reporting.experiments.results import TableResults
from dimmer.pipeline.reporting.plots import Spread, spreads, standalone


def plot(results: TableResults) -> str | None:
    """SVG of what was run; None where nothing was."""
    rows = [
        Spread(f"{one.of} - {one.against}", one.values, one.found.low, one.found.high)
        for one in results.comparisons
        if one.found is not None
    ]
    if not rows:
        return None
    margin = results.comparisons[0].margin
    return standalone(spreads(rows, margin, "difference of accuracy on the test set, points"), 1)
