# SPDX-License-Identifier: Apache-2.0
"""boards.json: what a model takes on a board, counted and compiled by `python -m benchmarks.boards`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dimmer.pipeline.core.stage import atomic_write

FIGURES = Path(__file__).resolve().parent / "boards.json"
MODELS = ("mnist5k-r14", "cifar10-r14")
"""Those that come with Dimmer, trained or to be trained in minutes."""


@dataclass(frozen=True)
class Cost:
    """What an inference takes.

    Attributes:
        mode: its name.
        instructions: counted.
        cycles: modelled; None where nobody has a table of the core.
    """

    mode: str
    instructions: int
    cycles: int | None


@dataclass(frozen=True)
class Row:
    """A model on a board.

    Attributes:
        modes: of the firmware.
        flash: bytes of the self-test's image, model and code; None where it does not fit.
        ram: bytes with the stack that is proven; None where it does not fit, or the stack is not known.
        dearest, cheapest: of the modes; None where it does not fit.
        misfit: why it does not fit, and what would; empty where it does.
    """

    model: str
    board: str
    modes: int
    flash: int | None
    ram: int | None
    dearest: Cost | None
    cheapest: Cost | None
    misfit: str = ""


@dataclass(frozen=True)
class Figures:
    """The content of boards.json.

    Attributes:
        converted: model -> SHA-256 of its modes' files, one after the other.
        rows: by model and board.
    """

    converted: Mapping[str, str]
    rows: tuple[Row, ...]


def read_figures(path: Path = FIGURES) -> Figures:
    """The content of boards.json."""
    content = json.loads(path.read_text())

    def cost(value: dict[str, str | int] | None) -> Cost | None:
        return None if value is None else Cost(**value)  # type: ignore[arg-type]

    rows = [{**row, "dearest": cost(row["dearest"]), "cheapest": cost(row["cheapest"])} for row in content["rows"]]
    return Figures(content["converted"], tuple(Row(**row) for row in rows))


def write_figures(figures: Figures, path: Path = FIGURES) -> None:
    """Writes boards.json, a line a row."""
    rows = ",\n".join(f"  {json.dumps(asdict(row))}" for row in figures.rows)
    atomic_write(path, f'{{\n"converted": {json.dumps(figures.converted)},\n"rows": [\n{rows}\n]\n}}\n')


def with_rows(figures: Figures, model: str, digest: str, rows: Sequence[Row]) -> Figures:
    """The figures with new rows of a model in the place of its own of the same boards.

    Rows that were measured with other converted files are dropped.
    """
    kept = figures.rows if figures.converted.get(model) == digest else [r for r in figures.rows if r.model != model]
    found = {(row.model, row.board): row for row in (*kept, *rows)}
    order = {name: number for number, name in enumerate(MODELS)}
    every = sorted(found.values(), key=lambda row: (order.get(row.model, len(order)), row.model, row.board))
    return Figures({**figures.converted, model: digest}, tuple(every))
