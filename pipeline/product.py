# SPDX-License-Identifier: Apache-2.0
"""The product example for a board: it looks at its battery, chooses, classifies and sleeps (targets/board/product.c).

python -m pipeline.product --target nrf52840dk
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.firmware_gen.library import INCLUDE, npu_sources, sources
from dimmer.pipeline.artifacts.places import built_folder
from dimmer.pipeline.core.command import (
    main_of,
    model_option,
    name_option,
    signature_option,
    target_option,
    tflite_option,
)
from dimmer.pipeline.core.noted import note
from dimmer.pipeline.projects.built import check_made_of, find_build
from dimmer.targets import Target, load_target
from dimmer.targets.target import TARGETS

SOURCES = (TARGETS / "board" / "product.c", TARGETS / "app" / "text.c")


def compile_product(target: Target, generated: Path, out: Path, more: tuple[Path, ...] = (), command: str = "") -> Path:
    """Compiles the product example.

    Args:
        generated: folder with the model's C, as the firmware stage leaves it.
        more: C of your own, such as a `board_millivolts`.
        command: that generates the model's C, for the error.

    Raises:
        DimmerError: the target is no board, or nothing was generated for it.
        TargetError: the compiler.
    """
    if target.board is None:
        raise DimmerError(f"{target.name} is no board: 'dimmer targets' says which are; examples/ has others")
    model = sorted(generated.glob("dimmer_*.c"))
    if not model:
        raise DimmerError(f"{generated} has no generated C: type {command or f'dimmer build --target {target.name}'}")
    # The linker drops every other kernel; compiling them takes most of the time.
    named = {word for file in model for word in re.findall(r"\bdimmer_\w+", file.read_text())}
    files, folders = [*model, *sources(sorted(named)), *SOURCES, *more], [generated, INCLUDE]
    if target.npu is not None:
        files += [*npu_sources(), *target.npu.sources]
        folders += target.npu.include
    return target.compile(files, folders, out)


def main(
    target: Annotated[str, target_option],
    model: Annotated[str, model_option] = "mnist5k-r14",
    tflite: Annotated[list[Path] | None, tflite_option] = None,
    name: Annotated[str | None, name_option] = None,
    signature: Annotated[str | None, signature_option] = None,
    source: Annotated[list[Path] | None, typer.Option("--source", help="C of your own; repeat for more.")] = None,
) -> None:
    """Compile the product example of a build for a board."""
    chosen = load_target(target)
    build = find_build(target, model, tflite, name, signature)
    generated, out = built_folder(build.folder, chosen), build.folder / chosen.name / "product"
    if generated.is_dir():
        check_made_of(build, generated, signature)
    elf = compile_product(chosen, generated, out, tuple(source or ()), build.command)
    note(out, out.glob("firmware*"))
    print(f"{elf}\nto flash it: {shlex.join(('dimmer', 'flash', '--target', target, '--elf', str(elf)))}")


if __name__ == "__main__":
    main_of(main)
