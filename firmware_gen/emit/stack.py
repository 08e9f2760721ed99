# SPDX-License-Identifier: Apache-2.0
"""How much stack the functions of dimmer.h take with a model, as macros that a program sizes its stacks by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dimmer.firmware_gen.emit.names import Names
from dimmer.firmware_gen.emit.text import HEADER, comment

_PREFIX = "dimmer_"


@dataclass(frozen=True, slots=True)
class StackFigure:
    """What one function takes with all that it calls.

    Attributes:
        function: of dimmer.h.
        bytes: from where its caller's stack ends; None where nothing is proven.
        why: nothing is proven; empty where it is.
    """

    function: str
    bytes: int | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class StackFigures:
    """The stack of a linked firmware, in bytes.

    Attributes:
        linked: what the program was linked for and by, a line each.
        entries: of every function of dimmer.h.
        before_hook: of dimmer_invoke, in use where it calls the function that `dimmer_on_block` was given; None where
            that is not proven.
        exception_frame: what the core pushes itself where an exception begins; None as before.
        painted: the most that was seen in use, of the whole firmware; None where nobody looked.
    """

    linked: Sequence[str]
    entries: Sequence[StackFigure]
    before_hook: int | None
    exception_frame: int | None
    painted: int | None


def emit_stack_header(names: Names, figures: StackFigures) -> str:
    """`dimmer_<model>_stack.h`: a macro for each function, and for the deepest of them; none for what is not proven."""
    guard = f"{names.macro}_STACK_H"
    lines = [HEADER, f"#ifndef {guard}", f"#define {guard}", ""]
    lines += [
        f"/* Stack of {comment(names.title)}, in bytes, proven from the call graph of a program that was linked for",
        *(f" *   {comment(line)}" for line in figures.linked if line),
        " * Another compiler or other flags take another stack. Interrupts are in no figure. */",
        "",
    ]
    for entry in figures.entries:
        name = _macro(names, entry.function)
        if entry.bytes is None:
            lines.append(f"/* {entry.function}: not proven, {comment(entry.why or 'nobody asked')} */")
        else:
            lines.append(f"#define {name} {entry.bytes}u")
    proven = [entry.bytes for entry in figures.entries if entry.bytes is not None]
    if proven and len(proven) == len(figures.entries):
        lines.append(f"#define {names.macro}_STACK_MOST {max(proven)}u /* the largest of these */")
    if figures.before_hook is not None:
        what = "of dimmer_invoke, where it calls dimmer_on_block's function"
        lines.append(f"#define {names.macro}_STACK_BEFORE_HOOK {figures.before_hook}u /* {what} */")
    if figures.exception_frame is not None:
        what = "what the core pushes for an interrupt, before its handler"
        lines.append(f"#define {names.macro}_STACK_EXCEPTION_FRAME {figures.exception_frame}u /* {what} */")
    if figures.painted is not None:
        lines += ["", f"/* Seen in use by the whole firmware, all modes run: {figures.painted} bytes. */"]
    return "\n".join([*lines, "", "#endif"]) + "\n"


def _macro(names: Names, function: str) -> str:
    return f"{names.macro}_STACK_{function.removeprefix(_PREFIX).upper()}"
