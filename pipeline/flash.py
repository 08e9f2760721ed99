"""Flashing: what build-target made, onto a board. Emulated targets have nothing to flash, and say so.

python -m pipeline.flash --target mps2-an386
"""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.command import main_of, model_option
from targets import load_target


def main(
    target: Annotated[str, typer.Option("--target", help="A folder under targets/.")],
    model: Annotated[str, model_option] = "mnist5k-r14",
) -> None:
    """Put a build onto its board."""
    chosen = load_target(target)
    # All targets so far are run by a program on this machine; the first one with a probe brings the branch for it.
    runner = "this machine" if chosen.name == "host" else chosen.runner.command[0]
    print(
        f"{target} runs on {runner}: there is nothing to flash. "
        f"./nox -s build-target -- {target} --model {model} builds it and runs it there."
    )


if __name__ == "__main__":
    main_of(main)
