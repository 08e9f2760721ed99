# SPDX-License-Identifier: Apache-2.0
"""Debian packages: compilers and emulators that pip cannot bring.

``python -m pipeline.system arm-none-eabi-gcc qemu-system-arm`` installs what is missing of the named tools.
"""

from __future__ import annotations

from typing import Annotated

import typer

from dimmer.pipeline.core.command import main_of
from dimmer.pipeline.core.debian import named_tools, require_tools


def main(
    tools: Annotated[list[str], typer.Argument(help="Commands that are needed: arm-none-eabi-gcc, qemu-system-arm.")],
) -> None:
    """Install what is missing of these tools with apt, or say what to type."""
    require_tools(named_tools(tools))


if __name__ == "__main__":
    main_of(main)
