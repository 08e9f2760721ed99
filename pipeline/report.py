# SPDX-License-Identifier: Apache-2.0
"""The report of a build: report.json for programs, report.html for people, a table for the terminal.

report.html is one file that needs no network. The README's plot is made from a report.json:

    python -m pipeline.report build/mnist5k-r14/mps2-an386/report.json docs/pareto.svg
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dimmer.pipeline.core.command import main_of
from dimmer.pipeline.reporting.page import plot_readme


def main(
    report: Annotated[Path, typer.Argument(help="A report.json.")],
    svg: Annotated[Path, typer.Argument(help="Where to write the plot.")],
) -> None:
    """Draw accuracy against cost from a report.json."""
    plot_readme(report, svg)
    print(svg)


if __name__ == "__main__":
    main_of(main)
