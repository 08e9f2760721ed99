# SPDX-License-Identifier: Apache-2.0
"""Builds removed.

python -m pipeline.clean --model mnist5k-r14
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.context import builds
from dimmer.pipeline.core.command import main_of
from dimmer.pipeline.core.made import made_folders, remove, size_of
from dimmer.pipeline.core.noted import noted_folders, remove_noted
from dimmer.pipeline.core.partial import stage_of
from dimmer.targets.runners.rtl import kept_simulators


def main(
    model: Annotated[str | None, typer.Option("--model", help="Only this model's builds.")] = None,
    target: Annotated[str | None, typer.Option("--target", help="Only what is for this target.")] = None,
    trained: Annotated[bool, typer.Option("--trained", help="Trained weights, too; they take long to make.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Remove what builds have made."""
    root = builds()
    if not root.is_dir():
        print(f"{root}: nothing is built there")
        return
    places = sorted(path for path in root.iterdir() if path.is_dir() and model in (None, path.name))
    simulators = [] if model else kept_simulators(root, target)
    if model and not places:
        raise DimmerError(f"{root} has no build of '{model}'; there are: {', '.join(_names(root)) or 'none'}")
    made = [folder for place in places for folder in made_folders(place)]
    if target and not simulators:
        _check_target(target, root, places, made)
    total = 0
    for folder in made:
        parts = folder.relative_to(root).parts
        if (target and target not in parts[1:-1]) or (_is_training(folder) and not trained):
            continue
        size = size_of(folder)
        if not remove(folder, dry_run):
            print(f"{folder}  in use by a command that runs: left alone")
            continue
        total += size
        print(f"{folder}  {size:,} bytes")
    for folder in (found for place in places for found in noted_folders(place)):
        if not target or target in folder.relative_to(root).parts[1:]:
            size = remove_noted(folder, dry_run)
            total += size
            print(f"{folder}  {size:,} bytes of what lay beside")
    for simulator in simulators:
        size = simulator.stat().st_size
        total += size
        print(f"{simulator}  {size:,} bytes")
        if not dry_run:
            simulator.unlink()
    print(f"{total:,} bytes {'would be' if dry_run else 'are'} free")


def _names(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if path.is_dir())


def _check_target(target: str, root: Path, places: Sequence[Path], made: Sequence[Path]) -> None:
    """That something was built for a target, if it is gone by now.

    Raises:
        DimmerError: nothing was.
    """
    known = {part for folder in made for part in folder.relative_to(root).parts[1:-1]}
    if target not in known and not any((place / target).is_dir() for place in places):
        raise DimmerError(f"{root} has nothing for target '{target}'; there are: {', '.join(sorted(known)) or 'none'}")


def _is_training(folder: Path) -> bool:
    """Trained weights, finished or not: those of an interrupted training are resumed."""
    name = stage_of(folder)
    return name == "gates" or name.startswith("train")


if __name__ == "__main__":
    main_of(main)
