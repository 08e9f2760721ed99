# SPDX-License-Identifier: Apache-2.0
"""What each stream is given and makes of the known input, as C for the stand-in in the driver's place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dimmer.firmware_gen.emit.names import ANSWERS_HEADER
from dimmer.firmware_gen.emit.tables import Tables
from dimmer.firmware_gen.emit.text import HEADER, comment, rows
from dimmer.firmware_gen.npu.chain import Chain, StreamPart
from dimmer.firmware_gen.npu.relink import Relinked

REHEARSAL_HEADER = "npu_rehearsal.h"


def emit_rehearsal(
    tables: Tables, chains: Sequence[Chain], relinked: Relinked, known: Sequence[Mapping[int, bytes]]
) -> str:
    """`npu_rehearsal.h`, which is no part of the model and is not delivered.

    Args:
        known: of each mode, the bytes of its values. Those of a mode that is one stream are the known answers.
    """
    return "\n".join(_text(tables, chains, relinked, known)) + "\n"


def streams_of(tables: Tables, mode: int) -> list[int]:
    """The records of a mode's streams, in their order."""
    block = tables.blocks[tables.schedules[mode][0]]
    steps = tables.steps[block.first_step : block.first_step + block.step_count]
    return [step.record for step in steps if step.kernel == 0]


def _text(
    tables: Tables, chains: Sequence[Chain], relinked: Relinked, known: Sequence[Mapping[int, bytes]]
) -> Iterator[str]:
    yield HEADER
    yield "#ifndef DIMMER_NPU_REHEARSAL_H"
    yield "#define DIMMER_NPU_REHEARSAL_H"
    yield ""
    yield f'#include "{ANSWERS_HEADER}"'
    yield ""
    yield "/* An input or an output of a stream: where it lies in the scratch, and what it is. */"
    yield "typedef struct {"
    yield "    uint32_t offset;"
    yield "    uint32_t size;"
    yield "    const int8_t *bytes;"
    yield "} rehearsed_end_t;"
    yield ""
    yield "/* A stream: its record, and its inputs and then its outputs in rehearsed_ends. */"
    yield "typedef struct {"
    yield "    uint16_t record;"
    yield "    uint16_t first_end;"
    yield "    uint16_t input_count;"
    yield "    uint16_t end_count;"
    yield "} rehearsed_t;"
    yield ""
    ends, streams = list[str](), list[str]()
    for number, (chain, values) in enumerate(zip(chains, known, strict=True)):
        given = {0: "dimmer_known_input", 1: f"dimmer_known_outputs[{number}]"}
        if not chain.is_whole:
            given = {value: f"rehearsed_{number}_{value}" for value in sorted(values)}
            for value, content in sorted(values.items()):
                yield f"/* {comment(chain.name)}: value {value} */"
                yield f"static const int8_t {given[value]}[{len(content)}] = {{"
                yield from rows((byte - 256 if byte > 127 else byte for byte in content), 24)
                yield "};"
        parts = [part for part in chain.parts if isinstance(part, StreamPart)]
        for part, record in zip(parts, streams_of(tables, number), strict=True):
            stream = relinked.modes[part.stream]
            counts = f"{len(part.inputs)}, {len(part.inputs) + len(part.outputs)}"
            streams.append(f"    {{{record}, {len(ends)}, {counts}}}, /* {comment(stream.name)} */")
            for value, end in zip((*part.inputs, *part.outputs), (*stream.inputs, *stream.outputs), strict=True):
                ends.append(f"    {{{end.offset}u, {end.size}u, {given[value]}}},")
    yield f"static const rehearsed_end_t rehearsed_ends[{len(ends)}] = {{"
    yield from ends
    yield "};"
    yield f"static const rehearsed_t rehearsed[{len(streams)}] = {{"
    yield from streams
    yield "};"
    yield ""
    yield "#endif"
