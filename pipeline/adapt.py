# SPDX-License-Identifier: Apache-2.0
"""A network of torchvision, timm or one's own made adaptive.

python -m pipeline.adapt timm:mobilenetv2_050 --input 3x32x32 --project lamp --data photos
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.core.command import main_of
from dimmer.pipeline.projects.wanted import TARGET, check_name, name_from

_DATA = "Your data: a folder of images, CSV, Parquet or NPZ, or module:function."


def main(
    source: Annotated[str, typer.Argument(help="torchvision:NAME, timm:NAME, or FILE.py:FACTORY of your own.")],
    argument: Annotated[
        list[str] | None, typer.Option("--argument", help="Of the factory, NAME=VALUE; any number of them.")
    ] = None,
    size: Annotated[str, typer.Option("--input", help="Channels x height x width of its input.")] = "3x224x224",
    groups: Annotated[
        int | None,
        typer.Option("--groups", min=1, help="Stages of a network whose blocks are all alike; 4 by default."),
    ] = None,
    pretrained: Annotated[bool, typer.Option("--pretrained", help="Have the library fetch its weights.")] = False,
    weights: Annotated[
        Path | None, typer.Option("--weights", help="Its weights, a state dict as .safetensors, .pt or .pth.")
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option("--file", help="What a network of your own reads; modules that it imports are found. Repeatable."),
    ] = None,
    project: Annotated[
        Path | None, typer.Option("--project", help="Folder to write a project into; without it only the table.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Of the project's model; after its folder.")] = None,
    target: Annotated[
        str | None, typer.Option("--target", help=f"Target of Dimmer that the project takes, by default {TARGET}.")
    ] = None,
    dataset: Annotated[str | None, typer.Option("--dataset", help="A known data set, such as cifar10.")] = None,
    data: Annotated[str | None, typer.Option("--data", help=_DATA)] = None,
    label: Annotated[str | None, typer.Option("--label", help="Its column or array with the class.")] = None,
) -> None:
    """Make a network of torchvision, timm or your own adaptive, and write a project for it."""
    from dimmer.pipeline.projects.adapted import Asked, adapted_project, found_network

    asked = Asked(source, tuple(argument or ()), size, groups, pretrained, weights, tuple(file or ()))
    if project is None:
        _refuse_without_project(name=name, target=target, dataset=dataset, data=data, label=label)
        print(found_network(asked, Path()).split.table())
        print("\nNext: the same with --project FOLDER, and --data PLACE or --dataset NAME")
        return
    own_name, target = check_name(name or name_from(project)), target or TARGET
    made = adapted_project(asked, project, own_name, target, dataset, data, label or "")
    print(made.table, end="\n\n")
    for path in made.files:
        print(path)
    for line in made.notes:
        print(f"  {line}")
    if made.new:
        print(f"\nuntrained, since the data has other classes: {', '.join(made.new)}")
    print("\nNext:")
    if project.absolute() != Path.cwd():
        print(f"  cd {shlex.quote(str(project))}")
    print(
        f"  dimmer build     # {own_name} for {target}; stages can be changed in models/{own_name}/recipe.toml before"
    )


def _refuse_without_project(**options: object) -> None:
    """Refuses what tells of a project, where none is written.

    Raises:
        DimmerError: one is given.
    """
    for option, value in options.items():
        if value is not None:
            raise DimmerError(f"--{option} goes with --project; leave it out for the table alone")


if __name__ == "__main__":
    main_of(main)
