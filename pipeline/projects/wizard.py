# SPDX-License-Identifier: Apache-2.0
"""The questions of `dimmer init` on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.projects import wanted
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.project import MODELS
from dimmer.targets.target import FILE, TARGETS, read_target

NONE = "none"


def ask_name(default: str) -> str:
    """The model's name."""
    return _ask("Name of your model", default, wanted.check_name)


def ask_data() -> str | None:
    """Data of one's own; None for that of Dimmer's models."""

    def check(answer: str) -> str:
        if answer != NONE and ":" not in answer and not Path(answer).exists():
            raise DimmerError(f"there is no '{answer}': give a folder, a file, module:function, or {NONE}")
        return answer

    answer = _ask("Your data: a folder of images or WAVs, a CSV, Parquet or NPZ file, or module:function", NONE, check)
    return None if answer == NONE else answer


def ask_template() -> str:
    """The model of Dimmer that it begins with."""
    told = []
    for name in wanted.templates():
        model = load_recipe(MODELS / name).model
        told.append((name, f"{model.family} for {model.dataset}"))
    _tell("Models to begin with", told)
    return _ask("Begin with", wanted.TEMPLATE, wanted.check_template)


def ask_target() -> str:
    """The target that commands take where none is named."""
    _tell("Targets", [(name, read_target(TARGETS / name / FILE).description) for name in wanted.shipped_targets()])
    return _ask("Build for", wanted.TARGET, wanted.check_target)


def ask_own_target(target: str) -> str | None:
    """The name of a target of one's own that begins as a copy; None for none."""

    def check(name: str) -> str:
        return name if name == NONE else wanted.check_own_target(name)

    name = _ask(f"Name of a target of your own, a copy of {target} to change", NONE, check)
    return None if name == NONE else name


def _ask(question: str, default: str, check: Callable[[str], str]) -> str:
    """Asks until the answer is one."""
    while True:
        answer = str(typer.prompt(question, default=default)).strip()
        try:
            return check(answer)
        except DimmerError as error:
            typer.echo(str(error))


def _tell(title: str, lines: Sequence[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in lines)
    typer.echo(f"{title}:")
    for name, meaning in lines:
        typer.echo(f"  {name:{width}}  {meaning}")
