# SPDX-License-Identifier: Apache-2.0
"""What the commands have in common: how they end. Whatever happens is one line on stderr and an exit status."""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from dimmer import children
from dimmer.endings import STOPPED, USER_ERROR, close_output, open_streams, say, take_signals, tell
from dimmer.errors import DimmerError
from dimmer.pipeline.core.extras import explain
from dimmer.pipeline.core.terminal import console as console
from dimmer.pipeline.core.terminal import progress_bar as progress_bar
from dimmer.pipeline.core.terminal import silence as silence
from dimmer.project import model_names, project
from dimmer.targets import target_names

INTERRUPTED = 130
"""Exit status after Ctrl-C; after another signal it is 128 and the signal's number."""
TOGETHER = "together"
"""Attribute of a `main` whose work several processes of `torchrun` share (`pipeline.core.together`)."""
_at_stop = STOPPED
GRACE_S = 1.0
"""How long a command that is stopped may clean up. What it leaves then, the next run sweeps away."""


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
reference_option: Any = typer.Option(
    "--reference",
    help="Whose results: those of litert (the TFLite interpreter), or of tflm (TFLite-Micro), which differ by a code "
    "or two in fully connected layers.",
)
tflite_option: Any = typer.Option("--tflite", help="As the firmware command was given.")
signature_option: Any = typer.Option("--signature", help="Of a --tflite file with several.")
name_option: Any = typer.Option("--name", help="Of the model in C, with --tflite.")
build_dir_option: Any = typer.Option(
    "--build-dir", help="Folder of all builds, instead of the project's.", envvar="DIMMER_BUILD", show_envvar=True
)


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
        if int(os.environ.get("WORLD_SIZE", "1")) > 1 and "RANK" in os.environ and not hasattr(command, TOGETHER):
            raise DimmerError("this verb is for one process: type it without torchrun")
        command(*arguments, **options)

    own = inspect.signature(command, eval_str=True)
    where = inspect.Parameter(
        "build_dir", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[Path | None, build_dir_option]
    )
    run.__signature__ = own.replace(parameters=[*own.parameters.values(), where])  # type: ignore[attr-defined]
    run.__annotations__ = {name: parameter.annotation for name, parameter in own.parameters.items()}
    run.__annotations__["build_dir"] = where.annotation
    return run


def at_stop(line: str = STOPPED) -> None:
    """What is said where the command is stopped from now on: another line where it works on another machine."""
    global _at_stop
    _at_stop = line


@contextmanager
def or_else(way: str) -> Iterator[None]:
    """Within, an error tells of another way to go, too."""
    try:
        yield
    except DimmerError as error:
        raise DimmerError(f"{error}; or {way}") from error


def main_of(command: Callable[..., None]) -> None:
    """Runs a function as a command line, as `run_app` does."""

    def make() -> typer.Typer:
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        add_command(app, command)
        return app

    run_app(make)


def run_app(make: Callable[[], Callable[..., object]]) -> None:
    """Runs a command line and ends the process, as `exit_status` says.

    Args:
        make: gives the command line; what it raises is told, too.
    """
    raise SystemExit(exit_status(lambda: make()(standalone_mode=False)))


def exit_status(run: Callable[[], object]) -> int:
    """Runs a command; whatever stops it is told in one line on stderr.

    Args:
        run: gives an exit status, or anything else where all went well.

    Returns:
        0; 2 for what a person can mend; 70 for a fault in Dimmer; 128 and the number of the signal that stopped it.
    """
    open_streams()
    children.share()
    at_stop()
    for stream in (sys.stdout, sys.stderr):
        # A terminal or a pipe that knows no arrow gets a question mark.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    said = threading.Event()
    with _signals(said) as received:
        try:
            status = _status(run)
        except BaseException as error:
            if not received:
                raise
            # Libraries make errors of their own of an interruption.
            del error
            status = 1
        if received or status == INTERRUPTED:
            _say_stopped(said)
            return 128 + received[0] if received else INTERRUPTED
    return close_output(status)


def _status(run: Callable[[], object]) -> int:
    try:
        result = run()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else USER_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    except typer.Abort:
        return INTERRUPTED
    except TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            # Typed alone, a name with verbs below it shows them.
            print(getattr(error, "ctx").get_help())  # noqa: B009
            return USER_ERROR
        said = " ".join(error.format_message().split()).rstrip(".")
        say(f"error: {said[:1].lower()}{said[1:]}; --help tells what there is")
        return USER_ERROR
    except ModuleNotFoundError as error:
        return tell(explain(error) or error)
    except Exception as error:
        return 128 if children.is_stopping() else tell(error)
    return result if isinstance(result, int) and not isinstance(result, bool) else 0


class _StoppedError(KeyboardInterrupt):
    """In place of KeyboardInterrupt itself: if that leaves an `exec` of text, by which named tuples and dataclasses are
    made, Python kills itself by SIGINT at its end, although somebody caught it.
    """


@contextmanager
def _signals(said: threading.Event) -> Iterator[list[int]]:
    """Ctrl-C, SIGTERM and a closed terminal end all children and raise KeyboardInterrupt; yields what was received."""
    received: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        if received:
            return
        received.append(number)
        children.stop()
        threading.Thread(target=_give_up, args=(128 + number, said), daemon=True).start()
        raise _StoppedError

    # Only the main thread may: a command that is called from another is stopped by its caller.
    in_main = threading.current_thread() is threading.main_thread()
    before = take_signals(stop) if in_main else {}
    try:
        yield received
    finally:
        # Once stopped a command only ends, and a second Ctrl-C has nothing to add.
        for each, handler in before.items() if not received else ():
            signal.signal(each, handler)


def _give_up(status: int, said: threading.Event) -> None:
    """Ends a command that does not end: a library caught the interruption, or computes and asks nobody."""
    time.sleep(GRACE_S)
    _say_stopped(said)
    children.leave()
    os._exit(status)


def _say_stopped(said: threading.Event) -> None:
    if not said.is_set():
        said.set()
        say(_at_stop)
