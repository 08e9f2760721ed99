"""What the commands have in common: how they end. Whatever happens is one line on stderr and an exit status."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import typer
from typer.exceptions import TyperException

from dimmer import children
from dimmer.endings import STOPPED, USER_ERROR, close_output, say, take_signals, tell
from dimmer.pipeline.core.terminal import console as console
from dimmer.pipeline.core.terminal import progress_bar as progress_bar
from dimmer.pipeline.core.terminal import silence as silence

INTERRUPTED = 130
"""Exit status after Ctrl-C; after another signal it is 128 and the signal's number."""
GRACE_S = 1.0
"""How long a command that is stopped may clean up. What it leaves then, the next run sweeps away."""

model_option: Any = typer.Option("--model", help="A name under models/, or the path of a recipe.toml.")


def main_of(command: Callable[..., None]) -> None:
    """Runs a command line and ends the process, as `exit_status` says."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    raise SystemExit(exit_status(lambda: app(standalone_mode=False)))


def exit_status(run: Callable[[], object]) -> int:
    """Runs a command; whatever stops it is told in one line on stderr.

    Args:
        run: gives an exit status, or anything else where all went well.

    Returns:
        0; 2 for what a person can mend; 70 for a fault in Dimmer; 128 and the number of the signal that stopped it.
    """
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
    return status or close_output()


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
        said = " ".join(error.format_message().split()).rstrip(".")
        say(f"error: {said[:1].lower()}{said[1:]}; --help tells what there is")
        return USER_ERROR
    except Exception as error:
        return 128 if children.is_stopping() else tell(error)
    return result if isinstance(result, int) and not isinstance(result, bool) else 0


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
        raise KeyboardInterrupt

    # Only the main thread may: a command that is called from another is stopped by its caller.
    in_main = threading.current_thread() is threading.main_thread()
    before = take_signals(stop) if in_main else {}
    try:
        yield received
    finally:
        for each, handler in before.items():
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
        say(STOPPED)
