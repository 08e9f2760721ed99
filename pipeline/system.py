# SPDX-License-Identifier: Apache-2.0
"""Debian packages: compilers and emulators that pip cannot bring.

``python -m pipeline.system arm-none-eabi-gcc qemu-system-arm`` installs what is missing of the named tools,
``--for tests`` and ``--for lint`` what those sessions of nox need.
"""

from __future__ import annotations

from typing import Annotated

import typer

from dimmer.errors import DimmerError
from dimmer.pipeline.core.command import main_of
from dimmer.pipeline.core.debian import TOOLS_FOR, named_tools, require_tools


def main(
    tools: Annotated[
        list[str] | None, typer.Argument(help="Commands that are needed: arm-none-eabi-gcc, qemu-system-arm.")
    ] = None,
    purposes: Annotated[
        list[str] | None, typer.Option("--for", help=f"What a session of nox needs: {', '.join(TOOLS_FOR)}.")
    ] = None,
) -> None:
    """Install what is missing of these tools with apt, or say what to type."""
    names = list(tools or ())
    for purpose in purposes or ():
        if purpose not in TOOLS_FOR:
            raise DimmerError(f"no tools are known for '{purpose}': --for takes {' or '.join(TOOLS_FOR)}")
        names += TOOLS_FOR[purpose]
    if not names:
        raise DimmerError("name a tool, or --for tests")
    require_tools(named_tools(names))


if __name__ == "__main__":
    main_of(main)
