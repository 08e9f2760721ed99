# SPDX-License-Identifier: Apache-2.0
"""Flashing: what build-target made, onto a board. Emulated targets have nothing to flash, and say so.

python -m pipeline.flash --target mps2-an386
python -m pipeline.flash --target jetson --host user@address
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.core.command import main_of, model_option, progress_bar, target_option
from dimmer.targets import load_target


def main(
    target: Annotated[str, target_option],
    model: Annotated[str, model_option] = "mnist5k-r14",
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
) -> None:
    """Put a build onto its board."""
    chosen = load_target(target)
    if chosen.engine == "tvm":
        from dimmer.pipeline.artifacts.bundle import bundle_folder
        from dimmer.pipeline.recipe.recipe import load_recipe
        from dimmer.targets.runners.ssh import Remote, install

        if host is None:
            raise DimmerError(f"{target} is reached over ssh: name the board with --host user@address")
        bundle = bundle_folder(build_folder(load_recipe(model)), target)
        with progress_bar("flash") as progress:
            print(install(Remote(host, tuple(option or ())), bundle, prefix, progress, sign))
        return
    if host is not None:
        raise DimmerError(f"{target} is not reached over ssh: leave --host away")
    # All other targets so far are run by a program on this machine; the first with a probe brings the branch for it.
    simulated = "a simulation of its core" if chosen.counts_cycles else chosen.runner.command[0]
    runner = "this machine" if chosen.name == "host" else simulated
    print(
        f"{target} runs on {runner}: there is nothing to flash. "
        f"./nox -s build-target -- {target} --model {model} builds it and runs it there."
    )


if __name__ == "__main__":
    main_of(main)
