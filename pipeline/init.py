# SPDX-License-Identifier: Apache-2.0
"""A new project.

python -m pipeline.init door --target mps2-an386
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from dimmer.pipeline.core.command import main_of
from dimmer.pipeline.projects import wanted, wizard
from dimmer.pipeline.projects.files import IGNORED, project_files
from dimmer.pipeline.projects.told import Told
from dimmer.pipeline.projects.wanted import Wanted
from dimmer.pipeline.projects.write import KEPT, ignores_builds, write_project


def _begins(names: Any) -> Any:
    return lambda incomplete: [name for name in names() if name.startswith(incomplete)]


def main(
    folder: Annotated[Path, typer.Argument(help="Of the project; made where it is missing.")] = Path(),
    name: Annotated[str | None, typer.Option("--name", help="Of your model; after the folder by default.")] = None,
    template: Annotated[
        str | None,
        typer.Option(
            "--model-template",
            help=f"Model of Dimmer whose recipe it begins with; {wanted.TEMPLATE} by default.",
            autocompletion=_begins(wanted.templates),
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            help=f"Target of Dimmer that commands take where none is named; {wanted.TARGET} by default.",
            autocompletion=_begins(wanted.shipped_targets),
        ),
    ] = None,
    own_target: Annotated[
        str | None, typer.Option("--own-target", help="Name of a target of your own, a copy of --target to change.")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", help="Your data: a folder of images or WAVs, CSV, Parquet or NPZ, or module:function."),
    ] = None,
    label: Annotated[
        str, typer.Option("--label", help="Its column or array with the class, or the value; several: kind,kg.")
    ] = "",
    group: Annotated[
        str, typer.Option("--group", help="Its column of speaker, subject or session; of files a regular expression.")
    ] = "",
    task: Annotated[
        str,
        typer.Option(
            "--task", help="What its label is, classes or values, guessed by default; several: classes,values."
        ),
    ] = "",
    window: Annotated[int, typer.Option("--window", min=0, help="Time steps of a window; guessed by default.")] = 0,
    normal: Annotated[
        str,
        typer.Option("--normal", help="The class that is normal: all others are anomalies, and none is trained on."),
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing; what is not given has its default.")] = False,
) -> None:
    """Write a project: dimmer.toml, with folders for recipes and targets."""
    if sys.stdin.isatty() and sys.stdout.isatty() and not yes:
        name = name or wizard.ask_name(wanted.name_from(folder))
        data = data or (wizard.ask_data() if template is None else None)
        template = template or (None if data else wizard.ask_template())
        if target is None:
            target = wizard.ask_target()
            own_target = own_target or wizard.ask_own_target(target)
    name = wanted.check_name(name or wanted.name_from(folder))
    own, lines = None, list[str]()
    told = Told(label, group, window, normal, task)
    told.check(data, template)
    if data:
        from dimmer.pipeline.projects.ends import told_ends
        from dimmer.pipeline.projects.inspected import own_samples

        own = own_samples(data, told, folder / "models" / name)
        lines = [*told_ends(own.section), *own.notes]
    found = Wanted(name, template or wanted.TEMPLATE, target or wanted.TARGET, own_target, own=own)
    for path in write_project(folder, project_files(found)):
        print(path)
    for line in lines:
        print(f"  {line}")
    if not ignores_builds(folder):
        print(f"{folder / KEPT} stays as it is; builds lie in {IGNORED}, which git need not keep")
    print("\nNext:")
    if folder.absolute() != Path.cwd():
        print(f"  cd {shlex.quote(str(folder))}")
    print("  dimmer doctor    # what this machine lacks")
    if own is not None:
        print("  dimmer dataset   # what the device will see, and what was left out")
    print("  dimmer models    # your recipes and Dimmer's")
    print(f"  dimmer build     # {found.name} for {found.own_target or found.target}")


if __name__ == "__main__":
    main_of(main)
