# SPDX-License-Identifier: Apache-2.0
"""Modes `x`, `x_id2` and `X` declared one enumerator twice; a mode called `gated` or `count` met a macro; a model of
another's words (`depthwise`: dimmer_depthwise_conv2d_s8) would meet a function of the runtime.
"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.library import INCLUDE
from tests.firmware_gen.harness import WARNINGS
from tests.firmware_gen.modes import write_modes

MODELS = ("2net", "int", "gated", "depthwise", "t", "model", "Net", "mode", "gate_calls", "kernel_fn", "magic", "")
MODES = (("x", "x_id2", "X"), ("gated", "count", "GATED"), ("int", "2", "int_"), ("a", "a_id1", "A"))


def check(folder: Path, model: str, modes: tuple[str, ...]) -> None:
    sources = [replace(mode, name=name) for mode, name in zip(write_modes(folder), modes, strict=True)]
    made = generate(sources, folder / "out", name=model)
    (folder / "use.c").write_text('#include "dimmer_model.h"\n' + made.sources[0].read_text())
    flags = ["-std=c99", *WARNINGS, f"-I{INCLUDE}", f"-I{folder / 'out'}", "-fsyntax-only"]
    done = subprocess.run(["gcc", *flags, str(folder / "use.c")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("model", MODELS)
def test_models(model: str, tmp_path: Path) -> None:
    check(tmp_path, model, ("888", "880", "800"))


@pytest.mark.parametrize("modes", MODES, ids=lambda modes: modes[0])
def test_modes(modes: tuple[str, ...], tmp_path: Path) -> None:
    check(tmp_path, "net", modes)


def test_a_model_and_a_mode_of_one_name(tmp_path: Path) -> None:
    check(tmp_path, "gated", ("gated", "mode", "count"))
