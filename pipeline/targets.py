# SPDX-License-Identifier: Apache-2.0
"""The targets that can be built for.

python -m pipeline.targets
"""

from __future__ import annotations

from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.core.command import complete_targets, console, main_of
from dimmer.pipeline.core.debian import missing_tools
from dimmer.pipeline.core.extras import missing_packages
from dimmer.targets import find_target, load_target, target_names


def main(
    path: Annotated[
        str | None,
        typer.Option("--path", help="Only say where this target's file lies.", autocompletion=complete_targets),
    ] = None,
) -> None:
    """List the targets, the project's and Dimmer's own, and what they need that is not here."""
    if path is not None:
        print(find_target(path))
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table("target", "core", "flash", "RAM", "missing", "description")
    for name in target_names():
        try:
            target = load_target(name)
        except DimmerError as error:
            table.add_row(name, "-", "-", "-", "-", escape(str(error)))
            continue
        memory = target.memory
        sizes = ("-", "-") if memory is None else (f"{r.size >> 10:,} KiB" for r in (memory.flash, memory.ram))
        missing = [*sorted(set(missing_tools(target.tools).values())), *missing_packages(target.distributions)]
        table.add_row(name, target.core, *sizes, ", ".join(missing) or "nothing", target.description)
    console().print(table)


if __name__ == "__main__":
    main_of(main)
