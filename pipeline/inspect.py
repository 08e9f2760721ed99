# SPDX-License-Identifier: Apache-2.0
"""What is in a file: of a model, and whether a firmware can be made of it; of an image, a header, a bundle, a bill of
materials, and whether it is whole.

python -m pipeline.inspect network.tflite --target mps2-an386
python -m pipeline.inspect build/mnist5k-r14
python -m pipeline.inspect build/mnist5k-r14/mps2-an386/firmware.bin
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from dimmer.pipeline.core.command import main_of, target_option
from dimmer.pipeline.core.targets import load_firmware_target, scratch_option, with_scratch_limit
from dimmer.pipeline.inspection.files import inspect_paths
from dimmer.pipeline.inspection.page import print_inspection

REFUSED, DAMAGED = 1, 2
"""Exit status where no firmware can be made of a file, and where one is not as it should be."""


def main(
    files: Annotated[list[Path], typer.Argument(help="Models, checkpoints, images, headers, bills, bundles, builds.")],
    target: Annotated[str, target_option] = "host",
    as_json: Annotated[bool, typer.Option("--json", help="For programs: everything, tensors too.")] = False,
    tensors: Annotated[bool, typer.Option("--tensors", help="List every tensor, too.")] = False,
    scratch_limit: Annotated[int | None, scratch_option] = None,
    public: Annotated[
        Path | None, typer.Option("--public", help="Key (PEM) that should have signed images for slots.")
    ] = None,
) -> None:
    """Tell what a file holds: a model, a checkpoint, an image, a bundle, a bill."""
    check = None
    if public is not None:
        from dimmer.pipeline.bundles.slots import signing

        check = partial(signing.check, public=signing.load_public(public))
    found = inspect_paths(files, with_scratch_limit(load_firmware_target(target), scratch_limit), check)
    if as_json:
        print(json.dumps(asdict(found), indent=1))
    else:
        print_inspection(found, tensors)
    if any(other.problems for other in found.others):
        raise typer.Exit(DAMAGED)
    # Files that are named may be of several networks; the modes of a build are of one.
    apart = len(files) == 1 and found.together is not None and bool(found.together.refusals)
    if apart or any(model.all_refusals for model in found.models):
        raise typer.Exit(REFUSED)


if __name__ == "__main__":
    main_of(main)
