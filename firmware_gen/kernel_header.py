# SPDX-License-Identifier: Apache-2.0
"""Writes the C headers of the kernels' records from the descriptions in `firmware_gen/kernels/`.

python -m firmware_gen.kernel_header
"""

from __future__ import annotations

from dimmer.firmware_gen.files import write_atomically
from dimmer.firmware_gen.kernels.header import headers
from dimmer.firmware_gen.library import INCLUDE


def main() -> None:
    """Writes every header that differs, and names the files."""
    for name, text in headers().items():
        write_atomically(INCLUDE / name, text)
        print(INCLUDE / name)


if __name__ == "__main__":
    main()
