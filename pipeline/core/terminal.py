# SPDX-License-Identifier: Apache-2.0
"""What commands show: tables that fit the terminal, a progress bar, lines of progress in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dimmer.pipeline.core.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

LOG_WIDTH = 110
"""Columns of a table that goes to a file or a pipe."""
LOG_SECONDS = 5.0
"""Between two lines of progress in a file or a pipe."""
_EARLIEST_SHARE, _EARLIEST_S = 0.01, 2.0
"""Before these nothing can be said of the time that is left."""


def console() -> Console:
    """The terminal, or for a file or a pipe one that is wide enough for every table.

    A table that is wider than the terminal is printed row by row instead. All texts are shown as they are: names and
    paths of a user may hold what rich takes for markup or for an emoji.
    """
    from rich.console import Console
    from rich.table import Table

    class Fitting(Console):
        def print(self, *objects: Any, **options: Any) -> None:
            for thing in objects:
                if isinstance(thing, Table) and _width(thing, self) > self.width:
                    for line in stacked(thing):
                        super().print(line, markup=False, highlight=False, soft_wrap=True)
                else:
                    super().print(thing, **options)

    terminal = Fitting(markup=False, emoji=False)
    return terminal if terminal.is_terminal else Fitting(width=LOG_WIDTH, markup=False, emoji=False)


def _width(table: Table, console: Console) -> int:
    """Columns that a table takes if nothing in it is cut or wrapped."""
    from rich.measure import Measurement

    return Measurement.get(console, console.options.update(max_width=10_000), table).maximum


def stacked(table: Table) -> Iterator[str]:
    """A table as lines: each row's first cell, and below it the others with their headings."""
    if table.title is not None:
        yield str(table.title)
    columns = [(str(column.header), [str(cell) for cell in column.cells]) for column in table.columns]
    widest = max((len(heading) for heading, _ in columns[1:]), default=0)
    for row in range(table.row_count):
        yield columns[0][1][row]
        for heading, cells in columns[1:]:
            if cells[row]:
                yield f"  {heading:<{widest}}  {cells[row]}".rstrip()


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """A bar on the terminal; elsewhere the first line and then one every few seconds.

    Yields:
        A callable that takes what is being done and the share done, 0..1.
    """
    from rich.console import Console

    console = Console(stderr=True)
    # A terminal that cannot move its cursor is as good as a file.
    if not console.is_terminal or console.is_dumb_terminal:
        yield log_lines(title, time.monotonic)
        return
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
    from rich.table import Column
    from rich.text import Text

    class Left(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(time_left(task.elapsed or 0.0, task.completed), style="progress.remaining")

    what = TextColumn(
        "{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=3)
    )
    columns = (what, BarColumn(None, table_column=Column(ratio=1, min_width=8)), TimeElapsedColumn(), Left())
    with Progress(*columns, console=console, transient=True, expand=True) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda text, share: bar.update(task, description=f"{title}: {text}", completed=share)


def log_lines(title: str, clock: Callable[[], float]) -> Progress:
    """Progress as lines of a log.

    Args:
        clock: gives seconds.
    """
    last_text, last_s = "", -LOG_SECONDS

    def line(text: str, share: float) -> None:
        nonlocal last_text, last_s
        now = clock()
        if text != last_text and now - last_s >= LOG_SECONDS:
            print(f"{title}: {share:4.0%} {text}", file=sys.stderr, flush=True)
            last_text, last_s = text, now

    return line


def time_left(elapsed_s: float, share: float) -> str:
    """How long a step still takes if it goes on as fast as so far; nothing as long as that cannot be said.

    Example:
        >>> time_left(60.0, 0.25)
        '3 min left'
        >>> time_left(0.5, 0.5)
        ''
    """
    if share < _EARLIEST_SHARE or elapsed_s < _EARLIEST_S:
        return ""
    left = elapsed_s * (1 - min(share, 1.0)) / share
    return f"{left:.0f} s left" if left < 100 else f"{left / 60:.0f} min left"


@contextmanager
def silence() -> Iterator[Progress]:
    """In place of `progress_bar`, where nothing is to be shown."""
    yield lambda _text, _share: None
