# SPDX-License-Identifier: Apache-2.0
"""Debian packages: compilers and emulators that pip cannot bring.

``python -m pipeline.system arm-none-eabi-gcc qemu-system-arm`` installs what is missing of the named tools.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from dimmer.errors import DimmerError
from dimmer.pipeline.core.debian import named_tools, require_tools


def main(arguments: Sequence[str]) -> int:
    """Command line; returns the exit status."""
    try:
        require_tools(named_tools(arguments))
    except DimmerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
