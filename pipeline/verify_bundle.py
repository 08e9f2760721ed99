# SPDX-License-Identifier: Apache-2.0
"""Whether a bundle is whole, for one machine, and signed by whom it should be, before it leaves for the boards.

python -m pipeline.verify_bundle build/mnist5k-r14/jetson/bundle/mnist5k-r14 --signers allowed_signers
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dimmer.pipeline.core.command import main_of
from dimmer.pipeline.inspection.bundles import inspect_bundle
from dimmer.pipeline.inspection.page import print_file

DAMAGED = 2
"""Exit status where something is wrong with it."""


def main(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    signers: Annotated[
        Path | None, typer.Option("--signers", help="ssh's list of who may sign: a line each, dimmer <public key>.")
    ] = None,
) -> None:
    """Check a bundle for a Linux board: its files, their machine, its signature."""
    found = inspect_bundle(bundle, signers)
    print_file(found)
    if found.problems:
        raise typer.Exit(DAMAGED)


if __name__ == "__main__":
    main_of(main)
