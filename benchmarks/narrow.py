# SPDX-License-Identifier: Apache-2.0
"""What 4 and 2 bits save: a network of cifar10-r14's shape with random weights, its modes counted side by side.

python -m benchmarks.narrow --target mps2-an386

How many instructions a mode takes depends on its weights only where sums of large ones are read more often.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from dimmer import children
from dimmer.benchmarks.count import Measured, measured_modes
from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.pipeline.artifacts.cycles import cycles_lines, cycles_text
from dimmer.pipeline.artifacts.firmware import Firmware
from dimmer.pipeline.core.command import console, main_of, progress_bar
from dimmer.pipeline.core.targets import load_firmware_target, scratch_option, with_scratch_limit
from dimmer.pipeline.image.make import make
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.targets import Target
from dimmer.targets.timing.run import guess_of
from tests.firmware_gen.narrow_network import Shape, write_modes

R14 = Shape(32, (16, 32, 64), 2)
MODES = ("88.88.88", "44.44.44", "22.22.22", "80.80.80", "40.40.40", "20.20.20", "84.42.20")
SAMPLES = 5


def figures(target: Target, modes: Sequence[str], shape: Shape = R14) -> Firmware:
    """The figures of one image of these modes, verified on SAMPLES random and edge inputs each.

    Raises:
        DimmerError: the target counts nothing.
    """
    if not target.counts_instructions:
        raise DimmerError(f"{target.name} has no instruction counter: name a target that counts")
    with children.scratch() as work, progress_bar("narrow") as progress:
        sources = write_modes(work, shape, modes)
        both = sample_inputs(sources[0].path, 1)
        order = Order("random-r14", sources, PolicyConfig(), both[len(both) // 2 :], SAMPLES)
        return make(order, target, work / "firmware", progress)


def main(
    target: Annotated[str, typer.Option("--target", help="A folder under targets/.")] = "mps2-an386",
    mode: Annotated[list[str] | None, typer.Option("--mode", help="Such as 84.20.44; repeat. Several.")] = None,
    layers: Annotated[bool, typer.Option("--layers", help="Print every layer.")] = False,
    scratch_limit: Annotated[int | None, scratch_option] = None,
) -> None:
    """Count modes of 8, 4 and 2 bits of a network with random weights."""
    from rich.table import Table

    chosen = with_scratch_limit(load_firmware_target(target), scratch_limit)
    found = figures(chosen, tuple(mode or MODES))
    modes = measured_modes(found)
    table = Table(title=f"{found.model} on {chosen.name}", title_justify="left")
    for heading in ("mode", "MACs", "instructions", "of the first", "cycles", "of the first", "mismatches"):
        table.add_column(heading, justify="left" if heading == "mode" else "right")
    whole, cycles = modes[0].count.instructions, modes[0].count.cycles
    for line, counted in zip(found.modes, modes, strict=True):
        table.add_row(
            counted.mode,
            f"{counted.count.macs:,}",
            f"{counted.count.instructions:,}",
            f"{counted.count.instructions / whole:.3f}",
            cycles_text(counted.count),
            f"{counted.count.cycles / cycles:.3f}" if counted.count.cycles and cycles else "-",
            "-" if line.verify is None else f"{line.verify.mismatches} of {line.verify.samples}",
        )
    console().print(table)
    for text in cycles_lines(found.modes, guess_of(chosen.name)):
        print(text)
    ram, flash = found.ram, found.flash
    print(f"arena {ram.arena:,}, of the first mode alone {ram.single_mode_arena:,}; stack {modes[0].count.stack:,}")
    print(f"code {flash.runtime_code:,}; weights {flash.weights:,}, tables {flash.tables:,}")
    if layers:
        _print_layers(modes)


def _print_layers(modes: Sequence[Measured]) -> None:
    from rich.table import Table

    table = Table(title="layer by layer", title_justify="left")
    for heading in ("mode", "layer", "kernel", "MACs", "instructions", "cycles"):
        table.add_column(heading, justify="left" if heading in ("mode", "layer", "kernel") else "right")
    for mode in modes:
        for step in mode.layers:
            kernel = step.kernel.removeprefix("dimmer_")
            counts = (f"{step.macs:,}", f"{step.instructions:,}", cycles_text(step))
            table.add_row(mode.mode, step.layer, kernel, *counts)
    console().print(table)


if __name__ == "__main__":
    main_of(main)
