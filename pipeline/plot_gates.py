# SPDX-License-Identifier: Apache-2.0
"""Accuracy against cost of gates, of static modes and of one width for the whole network, as SVG.

python -m pipeline.plot_gates docs/gates.svg build/cifar10-r14/gates/history.json other/history.json

Each `history.json` of a training of gates is a line of its own; static modes come from the first. Of several trainings
with the same options, the mean of each budget is drawn.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dimmer.pipeline.core.command import main_of
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.reporting import plots as report_plots
from dimmer.pipeline.reporting.gate_lines import lines_of


def main(
    svg: Annotated[Path, typer.Argument(help="The picture to write.")],
    histories: Annotated[list[Path], typer.Argument(help="history.json of one or more trainings of gates.")],
) -> None:
    """Draw accuracy against cost of gates and of static modes."""
    lines = lines_of(histories)
    picture = report_plots.curves(lines, "cost, of the 8-bit super-net", "accuracy on the test set")
    atomic_write(svg, report_plots.standalone(picture, len(lines)))
    print(svg)


if __name__ == "__main__":
    main_of(main)
