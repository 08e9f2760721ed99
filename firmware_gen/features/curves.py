# SPDX-License-Identifier: Apache-2.0
"""Root, logarithm and power of two by table, between whose entries a line is drawn: the same integers as the C.

python -m firmware_gen.features.curves writes the tables of the runtime.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from dimmer.firmware_gen.emit.text import rows
from dimmer.firmware_gen.files import write_atomically
from dimmer.firmware_gen.library import RUNTIME

Ints = npt.NDArray[np.int64]
MOST = 0xFFFF
FILE = RUNTIME / "features" / "curves.c"

ROOT = [min(MOST, round(math.sqrt((32 + i) / 128) * 65536)) for i in range(97)]
"""sqrt(x), Q16, of x = 1/4 to 1 in steps of 1/128."""
LOG2 = [min(MOST, round(math.log2(1 + i / 128) * 65536)) for i in range(129)]
"""log2(x), Q16, of x = 1 to 2."""
EXP2 = [min(MOST, round((2 ** (i / 128) - 1) * 65536)) for i in range(129)]
"""2^x - 1, Q16, of x = 0 to 1."""

_TEXT = """\
/* SPDX-License-Identifier: Apache-2.0 */
/* Written by python -m firmware_gen.features.curves. */
/* clang-format off */
#include "fixed.h"
"""


def text() -> str:
    """The C file."""
    found = [_TEXT]
    for name, about, curve in (
        ("root", "sqrt of 1/4 to 1", ROOT),
        ("log2", "log2 of 1 to 2", LOG2),
        ("exp2", "2^x - 1 of 0 to 1", EXP2),
    ):
        body = "\n".join(rows(curve, 12, last_comma=False))
        found.append(f"/* {about}, Q16 */\nconst uint16_t dimmer_curve_{name}[{len(curve)}] = {{\n{body}\n}};\n")
    return "\n".join(found)


def _on_curve(curve: list[int], index: Ints, way: Ints) -> Ints:
    table = np.array(curve, dtype=np.int64)
    return table[index] + (((table[index + 1] - table[index]) * way) >> 16)


def leading_zeros(x: npt.NDArray[Any]) -> Ints:
    """Of 64-bit numbers; 64 of 0."""
    left, count = np.asarray(x, dtype=np.uint64).copy(), np.zeros(np.shape(x), dtype=np.int64)
    for half in (32, 16, 8, 4, 2, 1):
        small = left >> np.uint64(64 - half) == 0
        left = np.where(small, left << np.uint64(half), left)
        count += np.where(small, half, 0)
    return np.asarray(count + (left >> np.uint64(63) == 0), dtype=np.int64)


def root(x: npt.NDArray[Any]) -> Ints:
    """sqrt(x) of uint64, wrong by less than 2^-13.8 of it."""
    x = np.asarray(x, dtype=np.uint64)
    shift = leading_zeros(x) & ~1
    top = ((x << np.minimum(shift, 62).astype(np.uint64)) >> np.uint64(32)).astype(np.int64)
    found = _on_curve(ROOT, np.maximum((top >> 25) - 32, 0), (top >> 9) & 0xFFFF) << 16
    return np.where(x == 0, 0, found >> (shift // 2))


def log2(x: npt.NDArray[Any]) -> Ints:
    """The logarithm to base 2 of uint64 above 0, Q16."""
    x = np.asarray(x, dtype=np.uint64)
    shift = leading_zeros(x)
    top = ((x << shift.astype(np.uint64)) >> np.uint64(32)).astype(np.int64)
    return (63 - shift) * 65536 + _on_curve(LOG2, (top >> 24) & 0x7F, (top >> 8) & 0xFFFF)


def exp2(x: Ints) -> Ints:
    """2^x of Q16, at most 2^31; 0 below 1."""
    whole, rest = x >> 16, x & 0xFFFF
    curve = 65536 + _on_curve(EXP2, rest >> 9, (rest & 0x1FF) << 7)
    found = (curve << np.clip(whole, 0, 30)) >> 16
    return np.where(whole >= 31, 1 << 31, np.where(whole < 0, 0, found))


def main() -> None:
    """Writes the tables, and names the file."""
    write_atomically(FILE, text())
    print(FILE)


if __name__ == "__main__":
    main()
