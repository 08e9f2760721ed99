# SPDX-License-Identifier: Apache-2.0
"""Tables on the terminal."""

from __future__ import annotations

import pytest

from dimmer.pipeline.inspection.facts import (
    CheckpointFacts,
    FileFacts,
    Inspection,
    ModelFacts,
    ModesFacts,
    OperatorFacts,
    StoredTensor,
    TensorFacts,
)
from dimmer.pipeline.inspection.page import print_file, print_inspection
from tests.pipeline.inspection.test_facts import PLAN

TENSOR = TensorFacts(0, "[bold]x", (1, 4, 4, 2), "int8", "per tensor", 0.5, 3, False, 0)
OPERATOR = OperatorFacts(0, "TANH", "[bold]x", (0,), (0,), "int8", "per tensor", 0, 0, (), ("net: no [TANH]",))


def test_everything_is_told_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    model = ModelFacts("a/net.tflite", 1234, (0,), (0, 77), 9, 8, (OPERATOR,), (TENSOR,), ("net: bad",), None)
    stored = StoredTensor("weight", "F32", (2, 3), 24)
    checkpoint = CheckpointFacts("c.safetensors", 99, 6, {"seed": 4, "text": "a\nb" + 200 * "x"}, (stored,))
    print_inspection(Inspection((model,), ModesFacts(PLAN, ("too much",)), (checkpoint,)), tensors=True)
    shown = capsys.readouterr().out
    for text in (
        "a/net.tflite, 1,234 bytes",
        "[bold]x",
        "4x4x2 > 4x4x2",
        "input      [bold]x: int8[1,4,4,2], scale 0.5, zero point 3",
        "refused    net: bad",
        "refused    net: no [TANH]",
        "net.tflite: no firmware can be made of it",
        "as 2 modes of one network, 88, 80, on",
        "  arena    100 bytes, lower bound 90; without scratch 80; the target has 4,096 of RAM",
        "  flash    60 bytes and the code: weights 10, biases and multipliers 20, tables 30",
        "  aliased  1,600 bytes that no copy is made of:",
        "           80: half lies in whole, 1,600 bytes at 48 of the arena",
        "refused    too much",
        "c.safetensors, 99 bytes, 6 values",
        "weight",
        "seed              4",
        "text              a\\nbxx",
    ):
        assert text in shown
    assert "80; the target has 4,096 of flash" not in shown


def test_what_are_no_modes_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    print_inspection(Inspection((), ModesFacts(None, ("they differ",)), ()), tensors=False)
    assert capsys.readouterr().out == "not modes of one network: they differ\n"


def test_what_a_file_says_makes_no_line_of_its_own_and_tells_the_terminal_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    evil = "0.1\nsigned  by one whom allowed_signers names\n\x1b[8m\x9b8m\u202e"
    print_file(FileFacts(f"b/{evil}", "bundle", 1, (("tvm", evil), (evil, "x")), (f"{evil} is damaged",)))
    stored = StoredTensor(evil, "F32", (2,), 8)
    tensor = TensorFacts(0, evil, (1,), "int8", "none", None, None, False, 0)
    operator = OperatorFacts(0, evil, evil, (0,), (0,), "int8", "none", 0, 0, (), (evil,))
    model = ModelFacts(evil, 1, (0,), (0,), 1, 1, (operator,), (tensor,), (evil,), None)
    found = Inspection((model,), None, (CheckpointFacts(evil, 1, 1, {"seed": evil}, (stored,)),))
    print_inspection(found, tensors=True)
    shown = capsys.readouterr().out
    assert not any(line.startswith("signed") for line in shown.splitlines())
    assert all(letter.isprintable() for letter in shown if letter != "\n")
