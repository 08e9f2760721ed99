# SPDX-License-Identifier: Apache-2.0
"""Size: where a firmware's flash and RAM go, by section and by symbol.

python -m pipeline.size --target mps2-an386
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dimmer.pipeline.artifacts.firmware import Firmware, firmware_folder
from dimmer.pipeline.core.command import (
    console,
    main_of,
    model_option,
    name_option,
    signature_option,
    target_option,
    tflite_option,
)
from dimmer.pipeline.core.targets import load_program_target
from dimmer.pipeline.projects.built import built_program, find_build
from dimmer.targets import Target


def main(
    target: Annotated[str, target_option],
    model: Annotated[str, model_option] = "mnist5k-r14",
    tflite: Annotated[list[Path] | None, tflite_option] = None,
    name: Annotated[str | None, name_option] = None,
    signature: Annotated[str | None, signature_option] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many symbols to list.")] = 25,
) -> None:
    """List sections, stack and the largest symbols of a build's firmware.elf."""
    from rich.table import Table

    chosen = load_program_target(target)
    build = find_build(target, model, tflite, name, signature)
    sizes = chosen.size(built_program(build, chosen, signature))
    sections = Table(title=f"{build.name} on {chosen.name}, bytes", title_justify="left", title_style="bold")
    for heading in ("text", "rodata", "data", "bss", "flash", "RAM"):
        sections.add_column(heading, justify="right")
    flash, ram = sizes.text + sizes.rodata + sizes.data, sizes.data + sizes.bss
    sections.add_row(*(f"{n:,}" for n in (sizes.text, sizes.rodata, sizes.data, sizes.bss, flash, ram)))
    symbols = Table(title=f"The {top} largest symbols", title_justify="left", title_style="bold")
    symbols.add_column("symbol")
    symbols.add_column("bytes", justify="right")
    for symbol, size in sorted(sizes.by_symbol.items(), key=lambda item: (-item[1], item[0]))[:top]:
        symbols.add_row(symbol, f"{size:,}")
    terminal = console()
    terminal.print(sections)
    terminal.print(f"stack: {_stack(build.folder, chosen)}", highlight=False, soft_wrap=True)
    terminal.print(symbols)


def _stack(build: Path, target: Target) -> str:
    if target.npu is not None:
        return "not proven where an NPU computes: its driver is the board's"
    figures = Firmware.load(firmware_folder(build, target.name))
    return figures.stack.text(figures.ram.stack)


if __name__ == "__main__":
    main_of(main)
