# SPDX-License-Identifier: Apache-2.0
"""Questions with defaults; what is no answer is told and asked again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer

from dimmer.pipeline.projects import wizard

Answers = Callable[..., list[str]]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Puts a person there who gives these answers; returns the list of what he is asked."""

    def put(*words: str) -> list[str]:
        asked: list[str] = []
        left: Iterator[str] = iter(words)

        def prompt(question: str, default: str) -> str:
            asked.append(question)
            return next(left) or default

        monkeypatch.setattr(typer, "prompt", prompt)
        return asked

    return put


def test_defaults_are_taken(answers: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    answers("", "", "", "")
    assert wizard.ask_name("door") == "door"
    assert wizard.ask_template() == "mnist5k-r14"
    assert wizard.ask_target() == "host"
    assert wizard.ask_own_target("host") is None
    shown = capsys.readouterr().out
    assert re.search(r"cifar10-r14 +resnet for cifar10", shown)
    assert re.search("mps2-an386 +Cortex-M4F on an MPS2\\+ board", shown)


def test_nonsense_is_asked_again(answers: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    asked = answers("7 doors", " bell ", "lamp", "cifar10-r14", "steam", "mps2-an386", "host", "lock")
    assert wizard.ask_name("door") == "bell"
    assert wizard.ask_template() == "cifar10-r14"
    assert wizard.ask_target() == "mps2-an386"
    assert wizard.ask_own_target("mps2-an386") == "lock"
    assert len(asked) == 8
    shown = capsys.readouterr().out
    for said in (
        "'7 doors' is no name",
        "there is no model 'lamp'",
        "there is no target 'steam'",
        "'host' is a target",
    ):
        assert said in shown


def test_data_is_a_place_a_function_or_none(
    answers: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers("nowhere", str(tmp_path), "my_data:load", "")
    assert wizard.ask_data() == str(tmp_path)
    assert wizard.ask_data() == "my_data:load"
    assert wizard.ask_data() is None
    assert "there is no 'nowhere': give a folder, a file, module:function, or none" in capsys.readouterr().out
