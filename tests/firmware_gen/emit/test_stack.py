# SPDX-License-Identifier: Apache-2.0
"""What functions take of the stack, as macros of C."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.names import names_of
from dimmer.firmware_gen.emit.stack import StackFigure, StackFigures, emit_stack_header
from tests.firmware_gen.runtime.c_library import compiler

ENTRIES = (StackFigure("dimmer_init", 60), StackFigure("dimmer_mode", 0), StackFigure("dimmer_invoke", 524))
FIGURES = StackFigures(("lamp, core cortex-m4", "gcc */ 12", "-O2"), ENTRIES, 32, 108, 620)


@pytest.mark.parametrize("name", ["gcc", "g++"])
def test_a_program_sizes_its_stack_by_it(name: str, tmp_path: Path) -> None:
    (tmp_path / "dimmer_lamp_stack.h").write_text(emit_stack_header(names_of("lamp"), FIGURES))
    source = tmp_path / ("main.c" if name == "gcc" else "main.cpp")
    source.write_text(
        '#include "dimmer_lamp_stack.h"\n#include "dimmer_lamp_stack.h"\n'
        "static unsigned char stack[DIMMER_LAMP_STACK_INVOKE + DIMMER_LAMP_STACK_EXCEPTION_FRAME];\n"
        "int main(void) { return !(sizeof stack == 632 && DIMMER_LAMP_STACK_INIT == 60 && DIMMER_LAMP_STACK_MODE == 0\n"
        "    && DIMMER_LAMP_STACK_MOST == 524 && DIMMER_LAMP_STACK_BEFORE_HOOK == 32); }\n"
    )
    words = [
        compiler(name),
        "-Wall",
        "-Wextra",
        "-Wpedantic",
        "-Wundef",
        "-Werror",
        str(source),
        "-o",
        str(tmp_path / "a"),
    ]
    subprocess.run(words, check=True)
    subprocess.run([tmp_path / "a"], check=True)


def test_what_is_not_proven_has_no_macro_and_a_reason() -> None:
    lost = StackFigure("dimmer_invoke", None, "main calls through a pointer, and nothing says whom")
    text = emit_stack_header(
        names_of("lamp"), replace(FIGURES, entries=(*ENTRIES[:2], lost), before_hook=None, painted=None)
    )
    assert "/* dimmer_invoke: not proven, main calls through a pointer, and nothing says whom */" in text
    macros = re.findall(r"^#define (\w+) ", text, re.MULTILINE)
    assert macros == [f"DIMMER_LAMP_STACK_{name}" for name in ("INIT", "MODE", "EXCEPTION_FRAME")]
    assert "Seen in use" not in text


def test_who_linked_it_is_told() -> None:
    text = emit_stack_header(names_of("lamp"), FIGURES)
    assert " *   lamp, core cortex-m4\n *   gcc *_ 12\n *   -O2\n" in text
    assert "Seen in use by the whole firmware, all modes run: 620 bytes." in text
