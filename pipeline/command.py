"""What the stages' command lines have in common: where builds live, errors as one line, a progress bar."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dimmer.calibration.errors import CalibrationError
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.pipeline.errors import DimmerError
from dimmer.pipeline.recipe import Recipe
from dimmer.pipeline.stage import ROOT
from dimmer.targets import Target, load_target
from dimmer.targets.kit.errors import TargetError

if TYPE_CHECKING:
    from rich.console import Console

EXPECTED_ERRORS = (DimmerError, FirmwareGenError, TargetError, CalibrationError)
"""Failures that a person can act on: shown as one line, without a traceback."""

LOG_WIDTH = 110
"""Columns of a table that goes to a file or a pipe."""
INTERRUPTED = 130
"""Exit status after Ctrl-C."""

model_option: Any = typer.Option("--model", help="A name under models/, or the path of a recipe.toml.")

scratch_option: Any = typer.Option(
    "--scratch-limit", min=0, help="Bytes of arena that a kernel may take for speed, instead of target.toml's."
)


def with_scratch_limit(target: Target, limit: int | None) -> Target:
    """The target with another `scratch_limit`, where one is given."""
    return target if limit is None else replace(target, scratch_limit=limit)


def builds() -> Path:
    """The folder of all builds: `build/` in the project, or $DIMMER_BUILD."""
    return Path(os.environ.get("DIMMER_BUILD", ROOT / "build"))


def build_folder(recipe: Recipe) -> Path:
    """build/<model>."""
    return builds() / recipe.name


def console() -> Console:
    """The terminal, or for a file or a pipe one that is wide enough for every table."""
    from rich.console import Console

    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=LOG_WIDTH)


def load_firmware_target(name: str) -> Target:
    """As load_target, for a target that takes a firmware.

    Raises:
        TargetError: there is no such target.
        DimmerError: it takes a bundle.
    """
    target = load_target(name)
    if target.engine != "tables":
        raise DimmerError(
            f"{name} takes a bundle, no firmware: ./nox -s build-target -- {name} makes it and runs its self-test"
        )
    return target


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[str, float], None]]:
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


def main_of(command: Callable[..., None]) -> None:
    """Runs a command line: expected errors become one line on stderr and exit status 2, Ctrl-C status 130."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    try:
        app()
    except EXPECTED_ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except SystemExit as end:
        # Ctrl-C: typer makes it a status of its own.
        if end.code == INTERRUPTED:
            print("stopped; the same command goes on where it stopped", file=sys.stderr)
        raise
