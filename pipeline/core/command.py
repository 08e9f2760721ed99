"""What the stages' command lines have in common: errors as one line, a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.core.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console

LOG_WIDTH = 110
"""Columns of a table that goes to a file or a pipe."""
INTERRUPTED = 130
"""Exit status after Ctrl-C."""

model_option: Any = typer.Option("--model", help="A name under models/, or the path of a recipe.toml.")


def console() -> Console:
    """The terminal, or for a file or a pipe one that is wide enough for every table."""
    from rich.console import Console

    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=LOG_WIDTH)


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """A bar on the terminal, one line a step elsewhere.

    Yields:
        A callable that takes what is being done and the share done, 0..1.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        last = ""

        def line(text: str, share: float) -> None:
            nonlocal last
            if text != last:
                print(f"{title}: {share:4.0%} {text}", file=sys.stderr, flush=True)
                last = text

        yield line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda text, share: bar.update(task, description=f"{title}: {text}", completed=share)


@contextmanager
def silence() -> Iterator[Progress]:
    """In place of `progress_bar`, where nothing is to be shown."""
    yield lambda _text, _share: None


def main_of(command: Callable[..., None]) -> None:
    """Runs a command line: expected errors become one line on stderr and exit status 2, Ctrl-C status 130."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    try:
        app()
    except DimmerError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except SystemExit as end:
        # Ctrl-C: typer makes it a status of its own.
        if end.code == INTERRUPTED:
            print("stopped; the same command goes on where it stopped", file=sys.stderr)
        raise
