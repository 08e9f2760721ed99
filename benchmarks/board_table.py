# SPDX-License-Identifier: Apache-2.0
"""docs/board_figures.md: the figures of boards.json beside each board's clock, memory and constants of energy."""

from __future__ import annotations

from pathlib import Path

from dimmer.benchmarks.board_rows import MODELS, Cost, Figures, Row
from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.energy.inference import Drawn, drawn
from dimmer.targets import Target, load_target

PAGE: Path = ROOT / "docs" / "board_figures.md"
ASSUMED = "†"
"""Beside what is made of instructions and an assumed number of cycles each."""

_HEAD = """\
# Boards' figures

Written by `python -m benchmarks.boards`; with `--model NAME` it measures a model anew that is converted here. A test
compares this page with what the command gives. [Boards](boards.md) says what each board is, and that **nobody has run
any of this on one**.

Two figures are those of the dearest and of the cheapest mode in the firmware. **Flash** is the whole image of the
self-test with all modes, of what the board has. **RAM** is the arena, all else that is written, and the stack that is
proven. **Cycles** are modelled ([cycles](cycles.md)): of what the emulated board with the same core executes, whose
generated C is the same, without wait states. **Time** is cycles times the wait factor of the board's target.toml over
the image's clock, **energy** these cycles times what one takes ([energy](energy.md)), each with its standard
uncertainty. What a cycle takes is known of a board's highest clock; at a slow one it takes more, since what flows at
any clock flows longer.

"""
_TAIL = f"""\
{ASSUMED} Nobody has a table of cycles of this core: instructions times an assumed number of cycles each, which
`[energy.cycles_per_instruction]` in the board's target.toml gives with its uncertainty. Cortex-M33 borrows the table of
Cortex-M4.

A dash: the figure is not known. `netduinoplus2` has no constants of energy; its time is without wait states.
"""


def page(figures: Figures) -> str:
    """The text of docs/board_figures.md."""
    models = dict.fromkeys([*(row.model for row in figures.rows), *MODELS])
    return _HEAD + "\n".join(_model(model, figures) for model in models) + "\n" + _TAIL


def _model(model: str, figures: Figures) -> str:
    rows = [row for row in figures.rows if row.model == model]
    if not rows:
        line = f"python -m benchmarks.boards --model {model}"
        return f"## {model}\n\nNot measured here: where it is converted, `{line}` adds its table.\n"
    some = next((row for row in rows if row.dearest is not None and row.cheapest is not None), None)
    counts = sorted({row.modes for row in rows if row.dearest is not None})
    modes = " or ".join(map(str, counts))
    text = [f"## {model}", ""]
    if some is not None and some.dearest is not None and some.cheapest is not None:
        text += [f"{modes} modes, from {some.dearest.mode} to {some.cheapest.mode} on {some.board}.", ""]
    text += [f"The converted modes have the SHA-256 `{figures.converted[model][:16]}...`.", ""]
    text += ["| board | clock, MHz | flash, KiB | RAM, KiB | cycles, M | time, ms | energy, mJ |"]
    text += ["|---|---|---|---|---|---|---|", *map(_row, rows), ""]
    return "\n".join(text)


def _row(row: Row) -> str:
    target = load_target(row.board)
    assert target.board is not None
    assert target.memory is not None
    clock = f"{target.board.clock_hz / 1e6:g}"
    if row.dearest is None or row.cheapest is None or row.flash is None:
        return f"| `{row.board}` | {clock} | does not fit: {row.misfit} | | | | |"
    memory = target.memory
    there = memory.ram.size + (0 if memory.arena is None else memory.arena.size)
    flash = f"{row.flash / 1024:,.1f} of {memory.flash.size >> 10:,}"
    ram = "-" if row.ram is None else f"{row.ram / 1024:.1f} of {there >> 10:,}"
    both = (row.dearest, row.cheapest)
    each = [figures_of(target, cost) for cost in both]
    cycles = " / ".join("-" if cost.cycles is None else f"{cost.cycles / 1e6:.2f}" for cost in both)
    mark = ASSUMED if row.dearest.cycles is None else ""
    time = _pair([one[0] for one in each], each[0][2], mark)
    energy = _pair([one[1] for one in each], each[0][3], mark)
    return f"| `{row.board}` | {clock} | {flash} | {ram} | {'-' if cycles == '- / -' else cycles} | {time} | {energy} |"


def figures_of(target: Target, cost: Cost) -> tuple[float | None, float | None, float, float]:
    """Milliseconds, millijoules, and the uncertainty of each as a share, of an inference on a board."""
    assert target.board is not None
    clock = target.board.clock_hz / 1e6
    found: Drawn | None = drawn(target.energy, cost.instructions, cost.cycles, clock)
    if found is not None:
        return found.seconds * 1000, found.microjoules / 1000, found.seconds_error, found.error
    return None if cost.cycles is None else cost.cycles / clock / 1000, None, 0.0, 0.0


def _pair(values: list[float | None], error: float, mark: str) -> str:
    """Two figures and their uncertainty."""
    told = [_three(value) for value in values if value is not None]
    if len(told) < len(values):
        return "-"
    return f"{' / '.join(told)}{mark}{f' ±{error:.0%}' if error else ''}"


def _three(value: float) -> str:
    """A number with three digits that count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
