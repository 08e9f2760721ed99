# SPDX-License-Identifier: Apache-2.0
"""SHA256SUMS: hashes of the files beside it, as `sha256sum` writes and checks them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import atomic_write

SUMS = "SHA256SUMS"

_LINE = re.compile(r"([0-9a-f]{64}) [ *](\S.*)")


def listed_sums(folder: Path) -> dict[str, str]:
    """File name -> SHA-256 of what a folder's SHA256SUMS lists; empty where there is none.

    Raises:
        DimmerError: it cannot be read, or a line is none of `sha256sum`'s.
    """
    path = folder / SUMS
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise DimmerError(
            f"{path} cannot be read ({error}); write it anew: sha256sum *.safetensors > {SUMS}"
        ) from error
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in found:
            raise DimmerError(
                f"{path}, line {number} is no line of a file's own; write it anew: sha256sum *.safetensors > {SUMS}"
            )
        found[match[2]] = match[1]
    return found


def list_sum(path: Path) -> None:
    """Enter a file, as it is now, into the SHA256SUMS beside it."""
    sums = listed_sums(path.parent) | {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
    atomic_write(path.parent / SUMS, "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)))
