# SPDX-License-Identifier: Apache-2.0
"""The product example for a board: it looks at its battery, chooses, classifies and sleeps (targets/board/product.c).

python -m pipeline.product --target nrf52840dk
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.firmware_gen.library import INCLUDE, npu_sources, sources
from dimmer.pipeline.artifacts.context import build_folder, builds
from dimmer.pipeline.artifacts.places import built_folder
from dimmer.pipeline.core.command import main_of, model_option, target_option
from dimmer.pipeline.image.order import name_of_files
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.targets import Target, load_target
from dimmer.targets.target import TARGETS

SOURCES = (TARGETS / "board" / "product.c", TARGETS / "app" / "text.c")


def compile_product(target: Target, generated: Path, out: Path, more: tuple[Path, ...] = ()) -> Path:
    """Compiles the product example.

    Args:
        generated: folder with the model's C, as the firmware stage leaves it.
        more: C of your own, such as a `board_millivolts`.

    Raises:
        DimmerError: the target is no board, or nothing was generated for it.
        TargetError: the compiler.
    """
    if target.board is None:
        raise DimmerError(f"{target.name} is no board: 'dimmer targets' says which are; examples/ has others")
    model = sorted(generated.glob("dimmer_*.c"))
    if not model:
        raise DimmerError(f"{generated} has no generated C: type dimmer build --target {target.name}")
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
    tflite: Annotated[list[Path] | None, typer.Option("--tflite", help="As the firmware command was given.")] = None,
    source: Annotated[list[Path] | None, typer.Option("--source", help="C of your own; repeat for more.")] = None,
) -> None:
    """Compile the product example of a build for a board."""
    chosen = load_target(target)
    build = builds() / name_of_files(tflite) if tflite else build_folder(load_recipe(model))
    elf = compile_product(chosen, built_folder(build, chosen), build / chosen.name / "product", tuple(source or ()))
    print(f"{elf}\nto flash it: dimmer flash --target {target} --elf {elf}")


if __name__ == "__main__":
    main_of(main)
