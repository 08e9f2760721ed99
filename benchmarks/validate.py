# SPDX-License-Identifier: Apache-2.0
"""The model of cycles against published times: binaries that ran on real boards, in a folder of the user's.

python -m benchmarks.validate FOLDER

Each NAME.toml of the folder describes one binary (docs/cycles.md). The binaries of MLPerf Tiny's submitters are not
ours to ship; what their comparison said is quoted in docs/cycles.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.pipeline.core.command import console, main_of
from dimmer.targets import load_target
from dimmer.targets.kit.schema import Table
from dimmer.targets.target import timing_of
from dimmer.targets.timing.code import code_of_blocks, read_code
from dimmer.targets.timing.cycles import Model, Stretch
from dimmer.targets.timing.run import modelled
from dimmer.targets.timing.tables import TABLES
from dimmer.targets.timing.trace import parse

OBJDUMP = "arm-none-eabi-objdump"


@dataclass(frozen=True)
class Compared:
    """One binary.

    Attributes:
        published: cycles, the board's clock times the published time.
        source: of that time.
    """

    name: str
    modelled: Stretch
    published: float
    source: str

    @property
    def ratio(self) -> float:
        """What the board took of what the model says."""
        return self.published / self.modelled.cycles


def compare(folder: Path) -> tuple[Compared, ...]:
    """Every binary that the folder describes.

    Raises:
        DimmerError: it describes none, a description is wrong, or a binary cannot be modelled.
    """
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise DimmerError(f"{folder} has no NAME.toml that describes a binary: docs/cycles.md shows one")
    return tuple(_compared(file) for file in files)


def _compared(file: Path) -> Compared:
    table = Table.read(file)
    binary = file.parent / table.text("file")
    published = table.positive_real("megahertz") * table.positive_real("milliseconds") * 1000
    source, target = table.text("source"), table.optional_text("target")
    if target is not None:
        argument, number = table.text("command"), table.natural("stretch", default=0)
        table.finish()
        with children.scratch() as work:
            stretches = modelled(load_target(target), binary, [argument], work)
        if number >= len(stretches):
            raise table.fail(f"'stretch' is {number}: the program read its counter around {len(stretches)}", "stretch")
        found = stretches[number]
    else:
        found = _of_counts(table, binary)
    return Compared(file.stem, found, published, source)


def _of_counts(table: Table, binary: Path) -> Stretch:
    """Of a binary that another emulator ran."""
    core, counts = table.text("core"), binary.parent / table.text("blocks")
    origin, inner = table.natural("origin", default=0), table.table("timing")
    if core not in TABLES:
        raise table.fail(f"'core' is {core!r}: give it one of {', '.join(TABLES)}", "core")
    timing = timing_of(inner)
    table.finish()
    try:
        (blocks,) = parse(counts.read_text())
        raw = binary.read_bytes()
    except (OSError, ValueError) as error:
        raise table.fail(f"{binary.name} and {counts.name} cannot be read as one stretch: {error}", "blocks") from error
    is_elf = raw.startswith(b"\x7fELF")
    code = read_code(binary, OBJDUMP) if is_elf else code_of_blocks(raw, origin, blocks, OBJDUMP)
    return Model(TABLES[core], timing, code).stretch(blocks)


def print_compared(found: Sequence[Compared]) -> None:
    """A line a binary, and the range of the ratios."""
    from rich.table import Table as Lines

    lines = Lines(title="cycles of one inference: modelled, and published", title_justify="left")
    for heading in ("binary", "instructions", "modelled", "published", "published / modelled", "source"):
        lines.add_column(heading, justify="left" if heading in ("binary", "source") else "right")
    for one in found:
        figures = (f"{one.modelled.instructions:,}", f"{one.modelled.cycles:,}", f"{one.published:,.0f}")
        lines.add_row(one.name, *figures, f"{one.ratio:.3f}", one.source)
    console().print(lines)
    ratios = [one.ratio for one in found]
    print(f"published / modelled: {min(ratios):.3f} to {max(ratios):.3f}, of {len(ratios)}")


def main(folder: Annotated[Path, typer.Argument(help="Binaries, each with a NAME.toml.")]) -> None:
    """Compare modelled cycles with published times."""
    print_compared(compare(folder))


if __name__ == "__main__":
    main_of(main)
