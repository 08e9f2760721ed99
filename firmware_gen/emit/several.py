# SPDX-License-Identifier: Apache-2.0
"""One C file of a model for cores of several kinds: constants once, and the tables of the core that it is compiled for.

The compiler's own macros choose. Constants that only some cores read stand within `#if`, in one order for all, so that
a firmware has those of its core and no byte of another's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dimmer.firmware_gen.emit.header import NOTHING, emit_header, state_guard
from dimmer.firmware_gen.emit.meaning import Meaning
from dimmer.firmware_gen.emit.names import Names
from dimmer.firmware_gen.emit.source import LAYOUTS, constant_rows, modes_text, opening, plan_of_core
from dimmer.firmware_gen.emit.tables import Tables
from dimmer.firmware_gen.emit.text import comment
from dimmer.firmware_gen.memory.share import ELEMENTS, Constant


@dataclass(frozen=True, slots=True)
class CoreTables:
    """What cores of one kind run.

    Attributes:
        what: the kind in words.
        condition: by which the preprocessor knows it, where no kind before it is known; empty of every other core.
    """

    what: str
    condition: str
    tables: Tables


def common_order(pools: Sequence[Sequence[Constant]]) -> tuple[Constant, ...]:
    """All constants of all cores, each once, those of a core as far as can be in the order in which it uses them."""
    order: list[Constant] = []
    for pool in pools:
        place = 0
        known = [(constant.table, constant.data) for constant in order]
        for constant in pool:
            key = (constant.table, constant.data)
            if key in known:
                place = known.index(key) + 1
            else:
                order.insert(place, constant)
                known.insert(place, key)
                place += 1
    return tuple(order)


def emit_header_of_cores(
    cores: Sequence[CoreTables], names: Names, classes: Sequence[str] = (), meaning: Meaning = NOTHING
) -> str:
    """`dimmer_<model>.h`: as `emit_header`, with the arena of each kind of core."""
    return emit_header(cores[0].tables, names, classes, tuple(_choice(cores, names)), meaning)


def emit_source_of_cores(cores: Sequence[CoreTables], names: Names) -> str:
    """`dimmer_<model>.c`; the constants of all tables lie in the order of `common_order`."""
    lines = [*opening(cores[0].tables, names), *_constants(cores, names)]
    for number, core in enumerate(cores):
        lines.append(f"#{'el' if number else ''}if {names.macro}_CORE == {number} /* {core.what} */")
        lines.append("")
        lines += plan_of_core(core.tables, names)
        lines.append("")
    return "\n".join((*lines, "#endif")) + "\n"


def _choice(cores: Sequence[CoreTables], names: Names) -> Iterator[str]:
    macro = names.macro
    last = not cores[-1].condition
    yield "/* What is compiled here, by what the compiler says of its core. */"
    for number, core in enumerate(cores):
        if core.condition:
            yield f"#{'el' if number else ''}if {core.condition}"
        elif number:
            yield "#else"
        yield f"#define {macro}_CORE {number} /* {core.what} */"
        yield f"#define {macro}_ARENA_SIZE {core.tables.memory.arena}u /* bytes, scratch included */"
        if guard := state_guard(core.tables):
            yield f"#define {macro}_STATE_GUARD ({guard}) /* from the input on: whether the state is set */"
    if not last:
        kinds = ", ".join(core.what for core in cores)
        yield "#else"
        yield f'#error "{names.symbol} was made for other cores ({kinds}): make it again with --core for this one"'
    if cores[0].condition:
        yield "#endif"


def _constants(cores: Sequence[CoreTables], names: Names) -> Iterator[str]:
    order = common_order([core.tables.pool.constants for core in cores])
    places = [{(c.table, c.data): c.index for c in core.tables.pool.constants} for core in cores]
    for table, ctype, element, per_row, start in LAYOUTS:
        counts = [len(core.tables.pool.table(table)) // ELEMENTS[table] for core in cores]
        count = f"{names.macro}_{table.upper()}"
        if len(set(counts)) > 1:
            for number, elements in enumerate(counts):
                yield f"#{'el' if number else ''}if {names.macro}_CORE == {number}"
                yield f"#define {count} {max(elements, 1)}"
            yield "#endif"
        else:
            yield f"#define {count} {max(counts[0], 1)}"
        yield start.format(count=count, name=names.table(table))
        for constant in order:
            if constant.table != table:
                continue
            found = [place.get((table, constant.data)) for place in places]
            having = [number for number, index in enumerate(found) if index is not None]
            some = len(having) < len(cores)
            if some:
                yield f"#if {_only(having, len(cores), names)}"
            indexes = [str(found[number]) for number in having]
            index = indexes[0] if len(set(indexes)) == 1 else ", ".join(indexes)
            shape = ",".join(map(str, constant.shape))
            first = cores[having[0]].tables
            users = next(c.modes for c in first.pool.constants if (c.table, c.data) == (table, constant.data))
            yield (
                f"    /* [{index}] {comment(constant.layer)}: {constant.role} {ctype[:-2]}[{shape}], "
                f"{constant.size} bytes, {modes_text(first, users)} */"
            )
            yield from constant_rows(constant, element, per_row)
            if some:
                yield "#endif"
        empty = [number for number, elements in enumerate(counts) if not elements]
        if empty:
            yield f"#if {_only(empty, len(cores), names)}"
            yield "    0"
            yield "#endif"
        yield "}};" if table == "weights" else "};"
        yield ""


def _only(cores: Sequence[int], count: int, names: Names) -> str:
    """The condition that is true on these of `count` kinds of cores."""
    others = [number for number in range(count) if number not in cores]
    if len(others) < len(cores):
        return " && ".join(f"{names.macro}_CORE != {number}" for number in others) or "1"
    return " || ".join(f"{names.macro}_CORE == {number}" for number in cores)
