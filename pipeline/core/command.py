# SPDX-License-Identifier: Apache-2.0
"""What the stages' command lines have in common: errors as one line, a progress bar."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.core.extras import explain
from dimmer.pipeline.core.progress import Progress
from dimmer.project import model_names, project
from dimmer.targets import target_names

if TYPE_CHECKING:
    from rich.console import Console

LOG_WIDTH = 110
"""Columns of a table that goes to a file or a pipe."""
INTERRUPTED = 130
"""Exit status after Ctrl-C."""


def complete_models(incomplete: str) -> list[str]:
    """Names of models that begin so."""
    return [name for name in model_names() if name.startswith(incomplete)]


def complete_targets(incomplete: str) -> list[str]:
    """Names of targets that begin so."""
    return [name for name in target_names() if name.startswith(incomplete)]


model_option: Any = typer.Option(
    "--model", help="Name of a model (dimmer models), or the path of a recipe.toml.", autocompletion=complete_models
)
target_option: Any = typer.Option(
    "--target", help="Name of a target (dimmer targets), or the path of a target.toml.", autocompletion=complete_targets
)
build_dir_option: Any = typer.Option(
    "--build-dir", help="Folder of all builds, instead of the project's.", envvar="DIMMER_BUILD", show_envvar=True
)


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


def add_command(app: typer.Typer, command: Callable[..., None], name: str | None = None, panel: str = "") -> None:
    """Makes a function a command, with the options that all have and what the project says in place of defaults."""
    options = [
        (parameter.name, option)
        for parameter in inspect.signature(command, eval_str=True).parameters.values()
        for option in getattr(parameter.annotation, "__metadata__", ())
        if option is model_option or option is target_option
    ]
    # A command that needs no project, such as the one that makes them, does not care for a broken one.
    found = project() if options else None
    defaults = {
        name: given
        for name, option in options
        if found is not None and (given := found.model if option is model_option else found.target)
    }
    app.command(name, rich_help_panel=panel or None, context_settings={"default_map": defaults})(_everywhere(command))


def _everywhere(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the option --build-dir."""

    @functools.wraps(command)
    def run(*arguments: Any, build_dir: Path | None = None, **options: Any) -> None:
        if build_dir is not None:
            os.environ["DIMMER_BUILD"] = str(build_dir.absolute())
        command(*arguments, **options)

    own = inspect.signature(command, eval_str=True)
    where = inspect.Parameter(
        "build_dir", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[Path | None, build_dir_option]
    )
    run.__signature__ = own.replace(parameters=[*own.parameters.values(), where])  # type: ignore[attr-defined]
    run.__annotations__ = {name: parameter.annotation for name, parameter in own.parameters.items()}
    run.__annotations__["build_dir"] = where.annotation
    return run


def main_of(command: Callable[..., None]) -> None:
    """Runs a function as a command line, as `run_app` does."""

    def make() -> typer.Typer:
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        add_command(app, command)
        return app

    run_app(make)


def run_app(make: Callable[[], typer.Typer]) -> None:
    """Runs a command line: expected errors become one line on stderr and exit status 2, Ctrl-C status 130."""
    try:
        make()()
    except DimmerError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except ModuleNotFoundError as error:
        if (told := explain(error)) is None:
            raise
        print(f"error: {told}", file=sys.stderr)
        raise SystemExit(2) from None
    except SystemExit as end:
        # Ctrl-C: typer makes it a status of its own.
        if end.code == INTERRUPTED:
            print("stopped; the same command goes on where it stopped", file=sys.stderr)
        raise
