# SPDX-License-Identifier: Apache-2.0
"""The help of `train --start` swallowed `[qat]`: a word in brackets is markup to the terminal library."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tests.test_house import VERBS

COMMANDS = [f"dimmer.pipeline.{path.stem}" for path in VERBS] + [
    f"dimmer.benchmarks.{name}" for name in ("__main__", "host", "narrow", "tvm_speed")
]


def texts(command: Any) -> Iterator[str]:
    """What a command's parameters and the command itself say."""
    yield command.help or ""
    for parameter in command.params:
        yield getattr(parameter, "help", None) or ""


def letters(text: str) -> str:
    return re.sub(r"[^\w\[\]<>]", "", text)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_word_of_the_help_is_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    app = typer.Typer(add_completion=False)
    app.command()(importlib.import_module(name).main)
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0, shown.output
    # The columns of the table of options break sentences apart: words are looked for one by one.
    visible = letters(shown.output)
    for text in texts(typer.main.get_command(app)):
        for word in text.split():
            assert letters(word) in visible, f"{name}: {word!r} of {text!r}"
