# SPDX-License-Identifier: Apache-2.0
"""Tuning: the tile of every convolution that is fastest on a processor, found by MetaSchedule.

python -m pipeline.tvm_tune --model cifar10-r14 --target host
python -m pipeline.tvm_tune --model cifar10-r14 --target jetson --rpc HOST:PORT

Every tile of `pipeline.tvm.schedule` that divides a convolution's work is built, run where the target is, and written
into build/<model>/tuning/<target>, MetaSchedule's own database, at once: what is stopped goes on where it was. The
`tvm_module` stage takes the fastest of what the database holds; without it the default tiles stand.

With --rpc the code runs on a board that has registered at TVM's tracker under the key "jetson":

    python -m tvm.exec.rpc_tracker --host 0.0.0.0 --port 9190                        anywhere
    python -m tvm.exec.rpc_server --tracker HOST:9190 --key jetson                   on the board

Several boards may register, of one kind: each times other tiles, side by side.
"""

from __future__ import annotations

from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.bundle import tuning_folder
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.core.command import main_of, model_option, progress_bar, target_option
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.tvm.dot import dot_of
from dimmer.pipeline.tvm.module import import_tvm, relax_module
from dimmer.pipeline.tvm.targets import tvm_target
from dimmer.pipeline.tvm.tuning import address, tune
from dimmer.targets import load_target


def main(
    target: Annotated[str, target_option],
    model: Annotated[str, model_option] = "mnist5k-r14",
    rpc: Annotated[str | None, typer.Option("--rpc", help="HOST:PORT of the tracker that the board is at.")] = None,
) -> None:
    """Measure every tile of a converted model's convolutions; the next build takes the fastest."""
    import_tvm()
    chosen, tracker = tvm_target(load_target(target)), address(rpc)
    if tracker is None and not chosen.is_native:
        raise DimmerError(
            f"{chosen.name}'s code is for {chosen.machine}, and emulation tells no time: name a board with "
            "--rpc HOST:PORT, or tune for this machine with 'nox -s tune -- host'"
        )
    from dimmer.pipeline.artifacts.converted import mode_sources

    build = build_folder(load_recipe(model))
    folder = tuning_folder(build, chosen.name)
    processor = chosen.processor()
    with progress_bar("tune") as progress, processor:
        progress("lowering the modes", 0.0)
        modes = {mode.name: mode.path for mode in mode_sources(build / "convert")}
        module, _, _ = relax_module(modes, dot_of(processor))
        found = tune(module, chosen, folder, tracker, progress)
    for entry in found:
        print(f"{entry.name}  {entry.default_us:,.1f} us by default, {entry.best_us:,.1f} us with the fastest tile")
    print(f"{folder}: the next build for {chosen.name} takes the fastest tiles")


if __name__ == "__main__":
    main_of(main)
