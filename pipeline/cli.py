# SPDX-License-Identifier: Apache-2.0
"""The command `dimmer`: every verb under one name.

`dimmer calibrate --model NAME` and `python -m pipeline.calibrate --model NAME` run the same function. A verb is
imported only when it is the one asked for, so that help and completion answer at once.
"""

from __future__ import annotations

import importlib
import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.core.command import add_command, run_app
from dimmer.pipeline.core.verbs import VERBS
from dimmer.version import dimmer_version


def wanted_verb(words: Sequence[str]) -> str | None:
    """The verb among a command line's words, the first of which is the program."""
    return next((word for word in words[1:] if word in VERBS), None)


def app(verb: str | None) -> typer.Typer:
    """All verbs, of which only one can be run; the others are there to be listed.

    Args:
        verb: a key of `VERBS`; None for none.
    """
    made = typer.Typer(name="dimmer", no_args_is_help=True, pretty_exceptions_enable=False, help=main.__doc__)
    made.callback()(_root)
    for name, entry in VERBS.items():
        if name == verb:
            module = importlib.import_module(f"dimmer.pipeline.{entry.module}")
            add_command(made, module.main, name, entry.panel)
        else:
            made.command(name, help=entry.help, rich_help_panel=entry.panel)(_not_loaded)
    return made


def as_verbs(text: str) -> str:
    """A line to type in a checkout, `python -m pipeline.train`, as it is typed in any folder: `dimmer train`."""
    verbs = {entry.module: verb for verb, entry in VERBS.items()}
    return re.sub(
        r"python -m pipeline\.(\w+)",
        lambda found: f"dimmer {verbs[found[1]]}" if found[1] in verbs else found[0],
        text,
    )


def advising(run: Callable[..., object]) -> Callable[..., object]:
    """The command line, which says what to type with its own verbs."""

    def advise(**options: object) -> object:
        try:
            return run(**options)
        except DimmerError as error:
            error.args = tuple(as_verbs(part) if isinstance(part, str) else part for part in error.args)
            raise

    return advise


def main() -> None:
    """One network, dimmed like a lamp: train it, convert it, put it on a device that switches by battery."""
    # A shell asks for completions with the line that was typed so far in a variable: zsh and fish in the first, bash
    # in the second.
    asked = "_DIMMER_COMPLETE" in os.environ
    typed = os.environ.get("_TYPER_COMPLETE_ARGS", os.environ.get("COMP_WORDS")) if asked else None
    try:
        words = sys.argv if typed is None else shlex.split(typed)
    except ValueError:
        words = sys.argv
    run_app(lambda: advising(app(wanted_verb(words))))


def _not_loaded() -> None:
    raise AssertionError("this verb was not asked for")


def _version(asked: bool) -> None:
    if asked:
        print(f"dimmer {dimmer_version()}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    del version


if __name__ == "__main__":
    main()
