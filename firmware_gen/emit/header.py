# SPDX-License-Identifier: Apache-2.0
"""Tables -> the headers of a model: sizes, scales, names of modes and classes, and what a program calls."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from dimmer.firmware_gen.emit.meaning import (
    Meaning,
    emit_anomaly,
    emit_input_code,
    emit_meaning,
    meaning_functions,
    meaning_macros,
)
from dimmer.firmware_gen.emit.names import Names, mode_identifiers
from dimmer.firmware_gen.emit.tables import ABI, Tables, ends, literal
from dimmer.firmware_gen.emit.text import HEADER, comment, describe_end, quoted
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.kernels.portable import STATE

NOTHING = Meaning()
"""Of a model of which nobody says more than its tables do."""


def emit_header(
    tables: Tables, names: Names, classes: Sequence[str] = (), cores: Sequence[str] = (), meaning: Meaning = NOTHING
) -> str:
    """`dimmer_<model>.h`.

    Args:
        classes: what the elements of the output stand for; empty where nobody knows.
        cores: lines that say what differs from core to core, in place of the arena's size.

    Raises:
        FirmwareGenError: there are more or fewer classes than elements.
    """
    elements = math.prod(tables.output.shape)
    if classes and len(classes) != elements:
        raise FirmwareGenError(
            f"{len(classes)} names of classes for an output of {elements} elements: name every element"
        )
    guard, macro = f"{names.macro}_H", names.macro
    lines = [
        HEADER,
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        '#include "dimmer_tables.h"',
        "",
        f"#if DIMMER_ABI != {ABI}",
        f'#error "generated for ABI {ABI} of the Dimmer runtime: generate it again, or take the runtime it came with"',
        "#endif",
        "",
        "#ifdef __cplusplus",
        'extern "C" {',
        "#endif",
        "",
        *(cores or [f"#define {macro}_ARENA_SIZE {tables.memory.arena}u /* bytes, scratch included */"]),
        f"#define {macro}_INPUT_SIZE {tables.input.size}u /* bytes: {describe_end(tables.input)} */",
        f"#define {macro}_OUTPUT_SIZE {tables.output.size}u /* bytes: {describe_end(tables.output)} */",
        *_ends(tables, macro),
        *(f"#define {macro}_{name} {value}" for name, value in _parts(tables)),
        *(
            [f"#define {macro}_STATE_SIZE {size}u /* bytes that last until the next inference */"]
            if (size := state_of(tables)[0])
            else []
        ),
        f"#define {macro}_MODE_COUNT {len(tables.mode_names)}u",
        f"#define {macro}_POSITION_COUNT {len(tables.schedules[0])}u",
        f"#define {macro}_GATE_COUNT {len(tables.gates.gates) if tables.gates else 0}u",
        *_class_names(classes, macro),
        *emit_meaning(meaning, names, tables.mode_names),
        "",
        "/* From the most expensive to the cheapest. */",
        "enum {",
    ]
    identifiers = mode_identifiers(tables.mode_names, f"{macro}_")
    for number, (name, macs) in enumerate(zip(identifiers, tables.mode_macs, strict=True)):
        comma = "," if number + 1 < len(identifiers) else ""
        lines.append(f"    {name} = {number}{comma} /* {comment(tables.mode_names[number])}, {macs} MACs */")
    lines += [
        "};",
        "",
        f"extern const dimmer_model_t {names.symbol};",
        "",
        *_reset(tables, names, f"{macro}_STATE_GUARD" if cores else state_guard(tables)),
        *emit_input_code(meaning, names),
        *emit_anomaly(meaning, names),
        "#ifdef __cplusplus",
        "}",
        "#endif",
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"


def _ends(tables: Tables, macro: str) -> Iterator[str]:
    """Scale and zero point of input and output, where they have them."""
    for name, tensor in (("INPUT", tables.input), ("OUTPUT", tables.output)):
        if tensor.quantisation is not None:
            scale, zero_point = ends(tensor)
            number = literal(float(scale), "f")
            yield f"#define {macro}_{name}_SCALE {number} /* value = scale * (code - zero point) */"
            yield f"#define {macro}_{name}_ZERO_POINT {f'({zero_point})' if zero_point < 0 else zero_point}"


def _parts(tables: Tables) -> Iterator[tuple[str, str]]:
    """Of several inputs and outputs, in the file's order, where each lies: macros and what they stand for."""
    for end, parts in (("INPUT", tables.inputs), ("OUTPUT", tables.outputs)):
        if parts:
            yield f"{end}_COUNT", f"{len(parts)}u"
        for number, part in enumerate(parts):
            yield f"{end}_{number}_OFFSET", f"{part.offset}u /* bytes into them; {comment(part.tensor.name)} */"
            yield f"{end}_{number}_SIZE", f"{part.tensor.size}u /* bytes: {describe_end(part.tensor)} */"
            if part.tensor.quantisation is not None:
                scale, zero_point = ends(part.tensor)
                yield f"{end}_{number}_SCALE", literal(float(scale), "f")
                yield f"{end}_{number}_ZERO_POINT", f"({zero_point})" if zero_point < 0 else str(zero_point)


def state_of(tables: Tables) -> tuple[int, int]:
    """Bytes of state, and where the word lies that says whether it is set; 0 and 0 without state."""
    states = [record for table in tables.records if table.kernel == STATE for record in table.records]
    fields = [dict(zip((item.name for item in STATE.fields), record.values, strict=True)) for record in states]
    sizes = [value for record in fields if isinstance(value := record["size"], int)]
    guards = [value for record in fields if isinstance(value := record["guard"], int)]
    return sum(sizes), guards[0] if guards else 0


def state_guard(tables: Tables) -> str:
    """Where the word lies that says whether the state is set, in bytes from the input on; empty without state."""
    size, guard = state_of(tables)
    return f"{guard} - {tables.memory.input_offset}" if size else ""


def _reset(tables: Tables, names: Names, guard: str) -> Iterator[str]:
    """The function that forgets the state; `guard` as `state_guard`, or a macro for it."""
    if state_of(tables)[0]:
        yield "/* Forgets what earlier inferences left, as at the start of another recording; not while one runs. After"
        yield " * dimmer_init nobody has to call it, but where the arena may hold what this model left there. */"
        yield f"static inline void {names.symbol}_reset(dimmer_t *d) {{"
        yield "    int8_t *input = dimmer_input(d);"
        yield ""
        yield "    if (input != NULL) { /* without a model, or one that was found damaged, nothing is kept */"
        yield f"        int8_t *guard = input + ({guard});"
        yield ""
        yield "        guard[0] = guard[1] = guard[2] = guard[3] = 0;"
        yield "    }"
        yield "}"
        yield ""


def _class_names(classes: Sequence[str], macro: str) -> Iterator[str]:
    """A macro, which costs nothing where it is not used."""
    if classes:
        yield f"#define {macro}_CLASS_COUNT {len(classes)}u"
        yield "/* static const char *const names[] = ...; in the order of the output's elements. */"
        yield f"#define {macro}_CLASS_NAMES \\"
        yield "    { \\"
        for number, name in enumerate(classes):
            yield f"        {quoted(name)}{',' if number + 1 < len(classes) else ''} \\"
        yield "    }"


def emit_general_header(tables: Tables, names: Names, classes: Sequence[str] = (), meaning: Meaning = NOTHING) -> str:
    """`dimmer_model.h`: names that are the same for every model; arguments as of `emit_header`."""
    general, own = Names("", "dimmer_model"), names.macro
    macros = [f"{name}_SIZE" for name in ("ARENA", "INPUT", "OUTPUT")]
    for name, tensor in (("INPUT", tables.input), ("OUTPUT", tables.output)):
        macros += [f"{name}_{what}" for what in ("SCALE", "ZERO_POINT") if tensor.quantisation is not None]
    macros += [f"{name}_COUNT" for name in ("MODE", "POSITION", "GATE")]
    macros += [name for name, _ in _parts(tables)]
    macros += ["STATE_SIZE"] if state_of(tables)[0] else []
    macros += [f"CLASS_{what}" for what in ("COUNT", "NAMES") if classes]
    macros += meaning_macros(meaning)
    lines = [
        HEADER,
        "/* The names of a program's only model. A program of several models includes their own headers. */",
        f"#ifndef {general.macro}_H",
        f"#define {general.macro}_H",
        "",
        f'#include "{names.header}"',
        "",
        f"#define {general.symbol} {names.symbol}",
        *([f"#define {general.symbol}_reset {names.symbol}_reset"] if state_of(tables)[0] else []),
        *(f"#define {general.symbol}_{name} {names.symbol}_{name}" for name in meaning_functions(meaning)),
        *(f"#define {general.macro}_{name} {own}_{name}" for name in (*macros, *mode_identifiers(tables.mode_names))),
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"
