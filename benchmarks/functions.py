# SPDX-License-Identifier: Apache-2.0
"""Where the cycles of one inference go: functions, and the blocks of instructions that take most; modelled.

python -m benchmarks.functions --tflite network.tflite --target mps2-an386 --blocks 5
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from dimmer import children
from dimmer.pipeline.artifacts.cycles import Cycles, cycles_lines
from dimmer.pipeline.core.command import console, main_of, progress_bar
from dimmer.pipeline.core.targets import load_firmware_target, scratch_option, with_scratch_limit
from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.order import foreign_order
from dimmer.targets import Target
from dimmer.targets.timing.cycles import Model, Stretch
from dimmer.targets.timing.run import counted, guess_of
from dimmer.targets.timing.trace import Block


@dataclass(frozen=True)
class Hot:
    """A block of instructions.

    Attributes:
        cycles: of all its runs.
        lines: of assembly, each with its cycles behind the one before; refills and misses apart.
    """

    block: Block
    function: str
    cycles: int
    lines: tuple[str, ...]


def hottest(model: Model, blocks: Sequence[Block], most: int) -> tuple[Hot, ...]:
    """The blocks that take most cycles, the most expensive first."""
    costs = sorted(((model.stretch([block]).cycles, block) for block in blocks), key=lambda item: -item[0])
    return tuple(
        Hot(block, model.code.function[block.first], cycles, _lines(model, block)) for cycles, block in costs[:most]
    )


def _lines(model: Model, block: Block) -> tuple[str, ...]:
    lines, address, before = [], block.first, None
    for _ in range(block.instructions):
        instruction = model.code.at[address]
        cycles = model.cycles(instruction, before)
        lines.append(f"{address:8x}  {cycles:3}  {instruction.mnemonic:8} {instruction.operands}")
        address, before = model.code.following.get(address, -1), instruction
    return tuple(lines)


def print_functions(stretch: Stretch, title: str, guess: str) -> None:
    """A line each, the most expensive first."""
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for heading in ("function", "instructions", "cycles", "an instruction", "share"):
        table.add_column(heading, justify="left" if heading == "function" else "right")
    for name, share in sorted(stretch.functions.items(), key=lambda item: -item[1].cycles):
        ratio = f"{share.cycles / share.instructions:.2f}"
        figures = (f"{share.instructions:,}", f"~{share.cycles:,}", ratio, f"{share.cycles / stretch.cycles:.1%}")
        table.add_row(name, *figures)
    console().print(table)
    spent = ", ".join(f"{group} {cycles / stretch.cycles:.1%}" for group, cycles in stretch.spent.items())
    print(f"{stretch.instructions:,} instructions, ~{stretch.cycles:,} cycles: {spent}")
    for line in cycles_lines([Cycles(stretch.cycles, "model")], guess):
        print(line)


def run_once(tflite: Path, target: Target) -> tuple[Model, tuple[Block, ...]]:
    """The blocks of one inference of a `.tflite` alone.

    Raises:
        NotModelledError: the target's cycles cannot be modelled.
        FirmwareGenError, DimmerError, TargetError: as `pipeline.firmware`.
    """
    with children.scratch() as work, progress_bar("functions") as progress:
        progress("compiling", 0.0)
        order = foreign_order([tflite], samples=0)
        compiled = compile_modes(order, order.modes, target, work)
        model, stretches = counted(target, compiled.elf, ["bench"], work)
    return model, stretches[0]


def main(
    tflite: Annotated[Path, typer.Option("--tflite", help="A .tflite file.")],
    target: Annotated[str, typer.Option("--target", help="A folder under targets/.")] = "mps2-an386",
    blocks: Annotated[int, typer.Option("--blocks", min=0, help="How many blocks to print, with their code.")] = 0,
    scratch_limit: Annotated[int | None, scratch_option] = None,
) -> None:
    """Print what each function takes of one inference."""
    chosen = with_scratch_limit(load_firmware_target(target), scratch_limit)
    model, ran = run_once(tflite, chosen)
    print_functions(model.stretch(ran), f"{tflite.stem} on {chosen.name}, function by function", guess_of(chosen.name))
    for hot in hottest(model, ran, blocks):
        print(f"\n{hot.function}: {hot.block.runs:,} runs, ~{hot.cycles:,} cycles")
        print(*hot.lines, sep="\n")


if __name__ == "__main__":
    main_of(main)
