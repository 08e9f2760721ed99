# SPDX-License-Identifier: Apache-2.0
"""Tables -> C that a person can read: every run of numbers has its layer, shape, bytes and modes beside it.

The output depends on the tables alone: no time, no path, no order of a set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dimmer.firmware_gen.emit.names import Names, mode_identifiers
from dimmer.firmware_gen.emit.policy_text import plan_lines, policy_lines
from dimmer.firmware_gen.emit.tables import ABI, RecordTable, Resolved, Tables, ends
from dimmer.firmware_gen.emit.text import COLUMNS, HEADER, comment, describe_end, quoted, rows
from dimmer.firmware_gen.gates import GateTables
from dimmer.firmware_gen.kernels.families import FAMILIES
from dimmer.firmware_gen.kernels.portable import STATE
from dimmer.firmware_gen.memory.share import Constant

LAYOUTS = (
    (
        "weights",
        "int8_t",
        1,
        24,
        "static const union {{\n    int8_t bytes[{count}];\n    int32_t alignment;\n}} {name} = {{{{",
    ),
    ("params", "int32_t", 4, 8, "static const int32_t {name}[{count}] = {{"),
    ("shifts", "int8_t", 1, 24, "static const int8_t {name}[{count}] = {{"),
)
"""Table, type of its elements, their bytes, how many in a line, and how its definition begins."""

_TYPE_NAMES = {"int8": "DIMMER_INT8", "uint8": "DIMMER_UINT8", "float32": "DIMMER_FLOAT32"}


def emit_header(tables: Tables, names: Names, classes: Sequence[str] = (), cores: Sequence[str] = ()) -> str:
    """`dimmer_<model>.h`.

    Args:
        classes: what the elements of the output stand for; empty where nobody knows.
        cores: lines that say what differs from core to core, in place of the arena's size.
    """
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
            if (size := _state(tables)[0])
            else []
        ),
        f"#define {macro}_MODE_COUNT {len(tables.mode_names)}u",
        f"#define {macro}_POSITION_COUNT {len(tables.schedules[0])}u",
        f"#define {macro}_GATE_COUNT {len(tables.gates.gates) if tables.gates else 0}u",
        *_class_names(classes, macro),
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
        *_reset(tables, names),
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
            number = _literal(float(scale), "f")
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
                yield f"{end}_{number}_SCALE", _literal(float(scale), "f")
                yield f"{end}_{number}_ZERO_POINT", f"({zero_point})" if zero_point < 0 else str(zero_point)


def _state(tables: Tables) -> tuple[int, int]:
    """Bytes of state, and where the word lies that says whether it is set; 0 and 0 without state."""
    states = [record for table in tables.records if table.kernel == STATE for record in table.records]
    fields = [dict(zip((item.name for item in STATE.fields), record.values, strict=True)) for record in states]
    sizes = [value for record in fields if isinstance(value := record["size"], int)]
    guards = [value for record in fields if isinstance(value := record["guard"], int)]
    return sum(sizes), guards[0] if guards else 0


def _reset(tables: Tables, names: Names) -> Iterator[str]:
    size, guard = _state(tables)
    if size:
        yield "/* Forgets what earlier inferences left, as at the start of another recording; not while one runs. After"
        yield " * dimmer_init nobody has to call it, but where the arena may hold what this model left there. */"
        yield f"static inline void {names.symbol}_reset(dimmer_t *d) {{"
        yield f"    int8_t *guard = dimmer_input(d) + ({guard} - {tables.memory.input_offset});"
        yield ""
        yield "    guard[0] = guard[1] = guard[2] = guard[3] = 0;"
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


def emit_general_header(tables: Tables, names: Names, classes: Sequence[str] = ()) -> str:
    """`dimmer_model.h`: names that are the same for every model; arguments as of `emit_header`."""
    general, own = Names("", "dimmer_model"), names.macro
    macros = [f"{name}_SIZE" for name in ("ARENA", "INPUT", "OUTPUT")]
    for name, tensor in (("INPUT", tables.input), ("OUTPUT", tables.output)):
        macros += [f"{name}_{what}" for what in ("SCALE", "ZERO_POINT") if tensor.quantisation is not None]
    macros += [f"{name}_COUNT" for name in ("MODE", "POSITION", "GATE")]
    macros += [name for name, _ in _parts(tables)]
    macros += ["STATE_SIZE"] if _state(tables)[0] else []
    macros += [f"CLASS_{what}" for what in ("COUNT", "NAMES") if classes]
    lines = [
        HEADER,
        "/* The names of a program's only model. A program of several models includes their own headers. */",
        f"#ifndef {general.macro}_H",
        f"#define {general.macro}_H",
        "",
        f'#include "{names.header}"',
        "",
        f"#define {general.symbol} {names.symbol}",
        *([f"#define {general.symbol}_reset {names.symbol}_reset"] if _state(tables)[0] else []),
        *(f"#define {general.macro}_{name} {own}_{name}" for name in (*macros, *mode_identifiers(tables.mode_names))),
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"


def emit_source(tables: Tables, names: Names, core: str = "") -> str:
    """`dimmer_<model>.c`.

    Args:
        core: that it is generated for, as the compiler calls it.
    """
    lines = [
        *opening(tables, names),
        *_core(tables, core),
        *_constants(tables, names),
        *plan_of_core(tables, names),
    ]
    return "\n".join(lines) + "\n"


def opening(tables: Tables, names: Names) -> Iterator[str]:
    """What the source begins with."""
    yield HEADER
    yield "#ifdef __cplusplus"
    yield f'#error "these tables are C: give this file to a C compiler; {names.header} is for C++, too"'
    yield "#endif"
    yield ""
    yield f'#include "{names.header}"'
    yield ""
    if tables.gates:
        yield '#include "dimmer_gates.h"'
    if tables.policy.plan:
        yield '#include "dimmer_governor.h"'
    yield '#include "dimmer_kernels.h"'
    yield ""


def plan_of_core(tables: Tables, names: Names) -> Iterator[str]:
    """All tables but the constants, and the model itself."""
    yield from _records(tables, names)
    yield from _schedule(tables, names)
    if tables.gates:
        yield from _gates(tables.gates, names)
    yield from plan_lines(tables, names)
    yield from _model(tables, names)


def _core(tables: Tables, core: str) -> Iterator[str]:
    """A refusal of cores that lack what the kernels need."""
    used = {table.kernel for table in tables.records}
    for family in FAMILIES:
        if family.feature and used.intersection(family.kernels):
            yield f"#if !defined({family.feature})"
            made = f"generated for {comment(core)} with kernels that need {family.needs} ({family.feature})"
            yield f'#error "{made}: compile it for such a core, or generate it for this one"'
            yield "#endif"
            yield ""


def modes_text(tables: Tables, modes: Sequence[int]) -> str:
    """The modes that use something, in words."""
    if len(modes) == len(tables.mode_names):
        return "every mode" if len(modes) > 1 else comment(tables.mode_names[0])
    return " ".join(comment(tables.mode_names[mode]) for mode in modes)


def _constants(tables: Tables, names: Names) -> Iterator[str]:
    for table, ctype, element, per_row, start in LAYOUTS:
        data = tables.pool.table(table)
        count, name = max(len(data) // element, 1), names.table(table)
        yield start.format(count=count, name=name)
        for constant in tables.pool.constants:
            if constant.table != table:
                continue
            shape = ",".join(map(str, constant.shape))
            yield (
                f"    /* [{constant.index}] {comment(constant.layer)}: {constant.role} {ctype[:-2]}[{shape}], "
                f"{constant.size} bytes, {modes_text(tables, constant.modes)} */"
            )
            yield from constant_rows(constant, element, per_row)
        if not data:
            yield "    0"
        yield "}};" if table == "weights" else "};"
        yield ""


def constant_rows(constant: Constant, element: int, per_row: int) -> Iterator[str]:
    """A constant's numbers, with those that fill its last word; `element` in bytes."""
    padded = constant.data + bytes(-len(constant.data) % 4) if constant.table == "weights" else constant.data
    numbers = (
        int.from_bytes(padded[at : at + element], "little", signed=True) for at in range(0, len(padded), element)
    )
    yield from rows(numbers, per_row)


def _literal(value: Resolved, code: str) -> str:
    if isinstance(value, tuple):
        return "{" + ", ".join(_literal(item, code) for item in value) + "}"
    if isinstance(value, float):
        text = f"{value:.9g}"
        return f"{text}f" if "." in text or "e" in text else f"{text}.0f"
    if code == "I":
        return f"{value}u"
    return "(-2147483647 - 1)" if value == -(2**31) else str(value)


def _records(tables: Tables, names: Names) -> Iterator[str]:
    for table in tables.records:
        yield f"static const {table.kernel.name}_t {_of_kernel(table, names)}[{len(table.records)}] = {{"
        for number, record in enumerate(table.records):
            yield f"    /* [{number}] {comment(record.layer)}, {modes_text(tables, record.modes)} */"
            parts = [
                f".{item.path or item.name} = {_literal(value, item.code)}"
                for item, value in zip(table.kernel.fields, record.values, strict=True)
                if not item.reserved
            ]
            line = "    {"
            for place, part in enumerate(parts):
                part += ", " if place + 1 < len(parts) else "},"
                if len(line) + len(part.rstrip()) > COLUMNS:
                    yield line.rstrip()
                    line = "     "
                line += part
            yield line
        yield "};"
        yield ""


def _of_kernel(table: RecordTable, names: Names) -> str:
    """The table of a kernel's records."""
    return names.table(table.kernel.name.removeprefix("dimmer_"))


def _schedule(tables: Tables, names: Names) -> Iterator[str]:
    yield f"static const dimmer_kernel_t {names.table('kernels')}[{max(len(tables.records), 1)}] = {{"
    for table in tables.records:
        records = _of_kernel(table, names)
        yield f"    {{{table.kernel.name}, {records}, sizeof {records}[0], {len(table.records)}}},"
    if not tables.records:
        yield "    {0, 0, 0, 0}"
    yield "};"
    yield ""
    yield "/* {kernel, record} */"
    yield f"static const dimmer_step_t {names.table('steps')}[{max(len(tables.steps), 1)}] = {{"
    for number, step in enumerate(tables.steps):
        kernel = tables.records[step.kernel].kernel.name
        yield f"    {{{step.kernel}, {step.record}}}, /* [{number}] {kernel}: {comment(step.layer)} */"
    if not tables.steps:
        yield "    {0, 0}"
    yield "};"
    yield ""
    yield "/* {first step, number of steps} */"
    yield f"static const dimmer_block_t {names.table('blocks')}[{len(tables.blocks)}] = {{"
    for number, block in enumerate(tables.blocks):
        what = "skipped" if not block.step_count else f"position {', '.join(map(str, block.positions))}"
        users = modes_text(tables, block.modes)
        yield f"    {{{block.first_step}, {block.step_count}}}, /* [{number}] {what}, {users} */"
    yield "};"
    yield ""
    yield "/* For each mode the block at each position. */"
    yield f"static const uint16_t {names.table('schedules')}[{len(tables.schedules) * len(tables.schedules[0])}] = {{"
    for name, schedule in zip(tables.mode_names, tables.schedules, strict=True):
        yield f"    /* {comment(name)} */"
        yield from rows(schedule, 24)
    yield "};"
    yield ""
    yield f"static const dimmer_mode_t {names.table('modes')}[{len(tables.mode_names)}] = {{"
    for name, macs in zip(tables.mode_names, tables.mode_macs, strict=True):
        yield f"    {{{quoted(name)}, {macs}u}},"
    yield "};"
    yield ""


def _gates(gates: GateTables, names: Names) -> Iterator[str]:
    yield f"static const dimmer_gate_stage_t {names.table('gate_stages')}[{len(gates.stages)}] = {{"
    for stage in gates.stages:
        numbers = (stage.input, stage.multiplier, stage.pixels, stage.channels)
        more = (stage.first_gate, stage.gate_count, stage.shift, stage.zero_point)
        yield f"    {{{', '.join(map(str, (*numbers, *more)))}}},"
    yield "};"
    yield ""
    yield f"static const dimmer_gate_t {names.table('gate_blocks')}[{len(gates.gates)}] = {{"
    for gate in gates.gates:
        offsets = (gate.entry_weights, gate.entry_bias, gate.head_weights, gate.head_bias)
        sizes = (gate.entry_shift, len(gate.options), int(gate.skippable), 0)
        yield f"    {{{', '.join(map(str, (*offsets, *sizes)))}, {{{', '.join(map(str, gate.options))}}}}},"
    yield "};"
    yield ""
    yield "/* For each gate the block of each option, first with the sub-path of the stage executed, then skipped. */"
    yield f"static const uint16_t {names.table('gate_choices')}[{sum(len(gate.blocks) for gate in gates.gates)}] = {{"
    for gate in gates.gates:
        yield from rows(gate.blocks, 24)
    yield "};"
    yield ""
    cell = (gates.feature_weights, gates.state_weights, gates.bias, gates.first_position)
    units = (gates.features, gates.hidden, gates.shift)
    yield f"static const dimmer_gates_t {names.table('gates')} = {{"
    yield f"    &dimmer_gate_calls, {{{', '.join(map(str, (*cell, *units)))}, {{0, 0, 0}}}},"
    yield f"    {', '.join(names.table(table) for table in ('gate_stages', 'gate_blocks', 'gate_choices'))}"
    yield "};"
    yield ""


def _model(tables: Tables, names: Names) -> Iterator[str]:
    yield f"const dimmer_model_t {names.symbol} = {{"
    yield "    DIMMER_MAGIC,"
    yield f"    {ABI}u, /* ABI */"
    yield f"    0x{tables.dims_crc:08X}u, /* CRC-32 of dims */"
    yield f"    0x{tables.crc:08X}u, /* CRC-32 of all tables */"
    yield f"    {quoted(names.title)},"
    counts = (
        ("arena_size", f"{tables.memory.arena}u"),
        ("weights_size", f"{len(tables.pool.table('weights'))}u"),
        ("param_count", f"{len(tables.pool.table('params')) // 4}u"),
        ("shift_count", f"{len(tables.pool.table('shifts'))}u"),
        ("record_bytes", f"{sum(len(table.data) for table in tables.records)}u"),
        ("kernel_count", str(len(tables.records))),
        ("step_count", str(len(tables.steps))),
        ("block_count", str(len(tables.blocks))),
        ("mode_count", str(len(tables.mode_names))),
        ("position_count", str(len(tables.schedules[0]))),
        ("gate_count", str(len(tables.gates.gates) if tables.gates else 0)),
        ("gate_stages", str(len(tables.gates.stages) if tables.gates else 0)),
    )
    yield "    {"
    for field, value in counts:
        yield f"        .{field} = {value},"
    for field, tensor, offset in (
        ("input", tables.input, tables.memory.input_offset),
        ("output", tables.output, tables.memory.output_offset),
    ):
        scale, zero_point = ends(tensor)
        kind = _TYPE_NAMES[tensor.dtype.value]
        numbers = f"{offset}u, {tensor.size}u, {_literal(float(scale), 'f')}, {zero_point}, {kind}, 0"
        yield f"        .{field} = {{{numbers}}},"
    yield "    },"
    for table in ("weights.bytes", "params", "shifts", "kernels", "steps", "blocks", "schedules", "modes"):
        yield f"    {names.table(table)},"
    yield from policy_lines(tables)
    yield f"    &{names.table('gates')}," if tables.gates else "    0, /* no gates */"
    plan = tables.policy.plan
    yield f"    &{names.table('plan')}," if plan else "    0, /* no plan for a governor */"
    yield "    &dimmer_harvest_calls" if plan and plan.harvest_q8 else "    0 /* no harvest */"
    yield "};"
