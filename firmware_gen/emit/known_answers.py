# SPDX-License-Identifier: Apache-2.0
"""One input and every mode's answer to it, as C for the self-test."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.firmware_gen.emit.names import MODEL_HEADER, Names
from dimmer.firmware_gen.emit.tables import Tables
from dimmer.firmware_gen.emit.text import HEADER, comment, rows
from dimmer.firmware_gen.errors import FirmwareGenError


@dataclass(frozen=True, slots=True)
class KnownAnswers:
    """One input and what every mode makes of it, as bytes of the model's input and output type."""

    input: bytes
    outputs: tuple[bytes, ...]


def emit_known_answers_header(names: Names) -> str:
    """`dimmer_<model>_known_answers.h`."""
    guard, macro = f"{names.macro}_KNOWN_ANSWERS_H", names.macro
    lines = (
        HEADER,
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        f'#include "{names.header}"',
        "",
        "#ifdef __cplusplus",
        'extern "C" {',
        "#endif",
        "",
        "/* One input and what each mode makes of it, as the stock TFLite interpreter computes it. */",
        f"extern const int8_t {names.table('known_input')}[{macro}_INPUT_SIZE];",
        f"extern const int8_t {names.table('known_outputs')}[{macro}_MODE_COUNT][{macro}_OUTPUT_SIZE];",
        "",
        "#ifdef __cplusplus",
        "}",
        "#endif",
        "",
        "#endif",
    )
    return "\n".join(lines) + "\n"


def emit_general_answers_header(names: Names) -> str:
    """`dimmer_known_answers.h`: names that are the same for every model."""
    lines = (
        HEADER,
        "#ifndef DIMMER_KNOWN_ANSWERS_H",
        "#define DIMMER_KNOWN_ANSWERS_H",
        "",
        f'#include "{names.answers_header}"',
        f'#include "{MODEL_HEADER}"',
        "",
        *(f"#define dimmer_{name} {names.table(name)}" for name in ("known_input", "known_outputs")),
        "",
        "#endif",
    )
    return "\n".join(lines) + "\n"


def emit_known_answers(tables: Tables, names: Names, answers: KnownAnswers) -> str:
    """`dimmer_<model>_known_answers.c`.

    Raises:
        FirmwareGenError: the answers are not of this model's sizes.
    """
    sizes = [len(output) for output in answers.outputs]
    if len(answers.input) != tables.input.size or sizes != [tables.output.size] * len(tables.mode_names):
        raise FirmwareGenError(
            f"known answers: {len(answers.input)} bytes in and {sizes} out, the model has {tables.input.size} and "
            f"{len(tables.mode_names)} times {tables.output.size}; compute them with this model"
        )

    def signed(data: bytes) -> list[int]:
        return [byte - 256 if byte > 127 else byte for byte in data]

    lines = [
        HEADER,
        f'#include "{names.answers_header}"',
        "",
        f"const int8_t {names.table('known_input')}[{names.macro}_INPUT_SIZE] = {{",
        *rows(signed(answers.input), 24),
        "};",
        "",
        f"const int8_t {names.table('known_outputs')}[{names.macro}_MODE_COUNT][{names.macro}_OUTPUT_SIZE] = {{",
    ]
    for name, output in zip(tables.mode_names, answers.outputs, strict=True):
        lines += [
            f"    /* {comment(name)} */",
            "    {",
            *("    " + row for row in rows(signed(output), 24, last_comma=False)),
            "    },",
        ]
    return "\n".join((*lines, "};")) + "\n"
