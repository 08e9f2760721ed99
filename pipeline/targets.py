"""The targets that can be built for.

python -m pipeline.targets
"""

from __future__ import annotations

from dimmer.errors import DimmerError
from dimmer.pipeline.core.command import console, main_of
from dimmer.pipeline.core.debian import missing_tools
from dimmer.targets import load_target, target_names


def main() -> None:
    """List the targets, the project's and Dimmer's own, and what they need that is not here."""
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
        missing = sorted(set(missing_tools(target.tools).values()))
        table.add_row(name, target.core, *sizes, ", ".join(missing) or "nothing", target.description)
    console().print(table)


if __name__ == "__main__":
    main_of(main)
