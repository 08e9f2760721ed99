# SPDX-License-Identifier: Apache-2.0
"""Flashing: what build-target made, onto a board. Emulated targets have nothing to flash, and say so.

python -m pipeline.flash --target nrf52840dk
python -m pipeline.flash --target esp32c3 --port /dev/ttyUSB0 --dry-run
python -m pipeline.flash --target jetson --host user@address
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.core import command
from dimmer.pipeline.projects.built import built_program, find_build, refuse_files
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.targets import load_target
from dimmer.targets.runners.flasher import Where, Written, is_here, write
from dimmer.targets.runners.image import image_of
from dimmer.targets.runners.ways import Ways, choose
from dimmer.targets.target import FILE as TARGET_FILE


def main(
    target: Annotated[str, command.target_option],
    model: Annotated[str, command.model_option] = "mnist5k-r14",
    host: Annotated[str | None, typer.Option("--host", help="Of a Linux board: user@address.")] = None,
    prefix: Annotated[
        str | None, typer.Option("--prefix", help="Where to install there; /opt/dimmer/<model> unless named.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="For ssh and scp, as after -o: Port=2222; repeat for more.")
    ] = None,
    sign: Annotated[
        Path | None, typer.Option("--sign", help="A key of ssh's that signs the bundle for boards that know signers.")
    ] = None,
    tool: Annotated[
        str | None, typer.Option("--tool", help="uf2, esptool, pyocd, openocd, stflash, gdb or bossac.")
    ] = None,
    probe: Annotated[str | None, typer.Option("--probe", help="Serial number of one of several probes.")] = None,
    port: Annotated[str | None, typer.Option("--port", help="Serial port of the board, or address of GDB's.")] = None,
    drive: Annotated[Path | None, typer.Option("--drive", help="Folder of a board that shows itself as one.")] = None,
    tflite: Annotated[list[Path] | None, command.tflite_option] = None,
    name: Annotated[str | None, command.name_option] = None,
    signature: Annotated[str | None, command.signature_option] = None,
    elf: Annotated[Path | None, typer.Option("--elf", help="Another program than that of the build.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Put a build onto its board."""
    chosen = load_target(target)
    if chosen.engine == "tvm":
        refuse_files(f"{target} takes the bundle of a recipe, by --model", tflite, name, signature, elf)
        _install(chosen.name, model, host, prefix, option, sign, dry_run)
        return
    if host is not None:
        raise DimmerError(f"{target} is not reached over ssh: leave --host away")
    if chosen.board is not None and not chosen.flash.each:
        raise DimmerError(
            f"{chosen.name} has no [flash] in {chosen.folder / TARGET_FILE}: say how it is written "
            f"({', '.join(field.name for field in fields(Ways))}; docs/boards.md)"
        )
    if not chosen.flash.each or chosen.memory is None:
        # It is run by a program on this machine.
        simulated = "a simulation of its core" if chosen.counts_cycles else chosen.runner.command[0]
        runner = "this machine" if chosen.name == "host" else simulated
        print(
            f"{target} runs on {runner}: there is nothing to flash. "
            f"dimmer build --target {target} --model {model} builds it and runs it there."
        )
        return
    way = choose(target, chosen.flash.each, tool)
    if elf is not None:
        refuse_files("--elf names the program", tflite, name, signature)
        program = elf
        if not program.is_file():
            raise DimmerError(f"there is no {program}: --elf names a program that was built")
    else:
        program = built_program(find_build(target, model, tflite, name, signature), chosen, signature)
    image = Written(program, chosen.memory.flash.origin, image_of(program, chosen.memory))
    where = Where(probe, port, drive)
    steps = way.steps(image, where)
    if dry_run:
        if is_here(way):
            way.check()
        print("\n".join(steps))
        return
    with command.progress_bar("flash") as progress:
        write(way, image, where, progress)
    done = (
        f"written and verified by {way.tool}" if way.verifies else f"taken by the board; {way.tool} reads nothing back"
    )
    print(f"{chosen.name}: {len(image.data):,} bytes at {image.origin:#x} {done}")


def _install(
    name: str, model: str, host: str | None, prefix: str | None, options: list[str] | None, sign: Path | None, dry: bool
) -> None:
    """A bundle onto a Linux board."""
    from dimmer.pipeline.artifacts.bundle import bundle_folder
    from dimmer.targets.runners.ssh import Remote, install, steps

    if host is None:
        raise DimmerError(f"{name} is reached over ssh: name the board with --host user@address")
    bundle, remote = bundle_folder(build_folder(load_recipe(model)), name), Remote(host, tuple(options or ()))
    if dry:
        print("\n".join(steps(remote, bundle, prefix, sign)))
        return
    command.at_stop(f"stopped; an installation that had begun on {host} goes on there; the same command begins anew")
    with command.progress_bar("flash") as progress:
        print(install(remote, bundle, prefix, progress, sign))


if __name__ == "__main__":
    command.main_of(main)
