"""One input and every mode's answer to it, as C for the self-test."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.firmware_gen.emit.tables import Tables
from dimmer.firmware_gen.emit.text import HEADER, comment, rows
from dimmer.firmware_gen.errors import FirmwareGenError


@dataclass(frozen=True, slots=True)
class KnownAnswers:
    """One input and what every mode makes of it, as bytes of the model's input and output type."""

    input: bytes
    outputs: tuple[bytes, ...]


def emit_known_answers_header(tables: Tables) -> str:
    """`dimmer_known_answers.h`."""
    return (
        "\n".join(
            (
                HEADER,
                "#ifndef DIMMER_KNOWN_ANSWERS_H",
                "#define DIMMER_KNOWN_ANSWERS_H",
                "",
                '#include "dimmer_model.h"',
                "",
                "#ifdef __cplusplus",
                'extern "C" {',
                "#endif",
                "",
                "/* One input and what each mode makes of it, as the stock TFLite interpreter computes it. */",
                "extern const int8_t dimmer_known_input[DIMMER_MODEL_INPUT_SIZE];",
                "extern const int8_t dimmer_known_outputs[DIMMER_MODEL_MODE_COUNT][DIMMER_MODEL_OUTPUT_SIZE];",
                "",
                "#ifdef __cplusplus",
                "}",
                "#endif",
                "",
                "#endif",
            )
        )
        + "\n"
    )


def emit_known_answers(tables: Tables, answers: KnownAnswers) -> str:
    """`dimmer_known_answers.c`.

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
        '#include "dimmer_known_answers.h"',
        "",
        "const int8_t dimmer_known_input[DIMMER_MODEL_INPUT_SIZE] = {",
        *rows(signed(answers.input), 24),
        "};",
        "",
        "const int8_t dimmer_known_outputs[DIMMER_MODEL_MODE_COUNT][DIMMER_MODEL_OUTPUT_SIZE] = {",
    ]
    for name, output in zip(tables.mode_names, answers.outputs, strict=True):
        lines += [
            f"    /* {comment(name)} */",
            "    {",
            *("    " + row for row in rows(signed(output), 24, last_comma=False)),
            "    },",
        ]
    return "\n".join((*lines, "};")) + "\n"
