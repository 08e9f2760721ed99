# SPDX-License-Identifier: Apache-2.0
"""Tables -> C that a person can read: every run of numbers has its layer, shape, bytes and modes beside it.

The output depends on the tables alone: no time, no path, no order of a set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dimmer.firmware_gen.emit.names import Names
from dimmer.firmware_gen.emit.policy_text import plan_lines, policy_lines
from dimmer.firmware_gen.emit.tables import ABI, RecordTable, Tables, ends, literal
from dimmer.firmware_gen.emit.text import COLUMNS, HEADER, comment, name_in_c, quoted, rows
from dimmer.firmware_gen.gates import GateTables
from dimmer.firmware_gen.kernels.families import FAMILIES
from dimmer.firmware_gen.memory.share import Constant

LAYOUTS = (
    (
        "weights",
        "int8_t",
        1,
        24,
        "#if defined(DIMMER_WEIGHTS_SECTION) /* a memory of their own, by the linker script */\n"
        "__attribute__((section(DIMMER_WEIGHTS_SECTION)))\n#endif\n"
        "static const union {{\n    int8_t bytes[{count}];\n    int32_t alignment;\n}} {name} = {{{{",
    ),
    ("params", "int32_t", 4, 8, "static const int32_t {name}[{count}] = {{"),
    ("shifts", "int8_t", 1, 24, "static const int8_t {name}[{count}] = {{"),
)
"""Table, type of its elements, their bytes, how many in a line, and how its definition begins."""

_POINTERS = (
    *("names.model", "weights.bytes", "params", "shifts", "steps", "blocks", "schedules"),
    *("kernels", "kernels_again", "modes", "modes_again"),
)
"""In the order of dimmer_model_t."""


def emit_source(tables: Tables, names: Names, core: str = "") -> str:
    """`dimmer_<model>.c`.

    Args:
        core: that it is generated for, as the compiler calls it.
    """
    lines = [
        *opening(tables, names),
        *refusal_of_cores(tables, core),
        *constants_text(tables, names),
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


def refusal_of_cores(tables: Tables, core: str) -> Iterator[str]:
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


def constants_text(
    tables: Tables, names: Names, wanted: Sequence[str] = ("weights", "params", "shifts")
) -> Iterator[str]:
    """The tables of constants."""
    for table, ctype, element, per_row, start in LAYOUTS:
        if table not in wanted:
            continue
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


def _records(tables: Tables, names: Names) -> Iterator[str]:
    for table in tables.records:
        yield f"static const {table.kernel.name}_t {_of_kernel(table, names)}[{len(table.records)}] = {{"
        for number, record in enumerate(table.records):
            yield f"    /* [{number}] {comment(record.layer)}, {modes_text(tables, record.modes)} */"
            parts = [
                f".{item.path or item.name} = {literal(value, item.code)}"
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
    yield "/* Every pointer stands twice in flash: where the two differ, one of them is damaged. */"
    for again in ("kernels", "kernels_again"):
        yield f"static const dimmer_kernel_t {names.table(again)}[{max(len(tables.records), 1)}] = {{"
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
    sizes = [len(name_in_c(name)) + 1 for name in (tables.title, *tables.mode_names)]
    yield "static const struct {"
    yield f"    char model[{sizes[0]}];"
    for number, size in enumerate(sizes[1:]):
        yield f"    char mode_{number}[{size}];"
    yield f"}} {names.table('names')} = {{"
    for name in (tables.title, *tables.mode_names):
        yield f"    {quoted(name)},"
    yield "};"
    yield ""
    for again in ("modes", "modes_again"):
        yield f"static const dimmer_mode_t {names.table(again)}[{len(tables.mode_names)}] = {{"
        for number, macs in enumerate(tables.mode_macs):
            yield f"    {{{names.table('names')}.mode_{number}, {macs}u}},"
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
    places = ", ".join(names.table(table) for table in ("gate_stages", "gate_blocks", "gate_choices"))
    yield f"    &dimmer_gate_calls, {places},"
    yield f"    &dimmer_gate_calls, {places},"
    yield f"    {{{', '.join(map(str, (*cell, *units)))}, {{0, 0, 0}}}}"
    yield "};"
    yield ""


def _model(tables: Tables, names: Names) -> Iterator[str]:
    yield f"const dimmer_model_t {names.symbol} = {{"
    yield "    DIMMER_MAGIC,"
    yield f"    {ABI}u, /* ABI */"
    yield f"    0x{tables.dims_crc:08X}u, /* CRC-32 of dims */"
    yield f"    0x{tables.crc:08X}u, /* CRC-32 of all tables */"
    counts = (
        ("arena_size", f"{tables.memory.arena}u"),
        ("weights_size", f"{len(tables.pool.table('weights'))}u"),
        ("param_count", f"{len(tables.pool.table('params')) // 4}u"),
        ("shift_count", f"{len(tables.pool.table('shifts'))}u"),
        ("record_bytes", f"{sum(len(table.data) for table in tables.records)}u"),
        ("names_size", f"{len(tables.names)}u"),
        ("kernel_count", str(len(tables.records))),
        ("step_count", str(len(tables.steps))),
        ("block_count", str(len(tables.blocks))),
        ("mode_count", str(len(tables.mode_names))),
        ("position_count", str(len(tables.schedules[0]))),
        ("gate_count", str(len(tables.gates.gates) if tables.gates else 0)),
        ("gate_stages", str(len(tables.gates.stages) if tables.gates else 0)),
    )
    plan = tables.policy.plan
    gates = f"&{names.table('gates')}" if tables.gates else "0"
    governor = f"&{names.table('plan')}" if plan else "0"
    places = (*(names.table(table) for table in _POINTERS), gates, governor)
    for place, what in zip(places, (*_POINTERS, "gates", "plan for a governor"), strict=True):
        yield f"    {place},{f' /* no {what} */' if place == '0' else ''}"
    dims = ["    {", *(f"        .{field} = {value}," for field, value in counts)]
    for field, tensor, offset in (
        ("input", tables.input, tables.memory.input_offset),
        ("output", tables.output, tables.memory.output_offset),
    ):
        scale, zero_point = ends(tensor)
        kind = f"DIMMER_{tensor.dtype.name}"
        numbers = f"{offset}u, {tensor.size}u, {literal(float(scale), 'f')}, {zero_point}, {kind}, 0"
        dims.append(f"        .{field} = {{{numbers}}},")
    dims.append("    },")
    yield from dims
    yield from policy_lines(tables)
    yield "    {"
    for place in places:
        yield f"        {place},"
    yield from (f"    {line}" for line in dims)
    yield "    }"
    yield "};"
