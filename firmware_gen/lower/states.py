# SPDX-License-Identifier: Apache-2.0
"""What lasts from one inference to the next: steps that set it anew where nobody has since a reset."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from dimmer.firmware_gen.kernels import portable as k
from dimmer.firmware_gen.lower.steps import Buffer, Step, Weights, step

GUARD_BYTES = 4
"""A word that says whether the states are set: memory that nobody has written holds another one."""


def begin_states(states: Sequence[tuple[int, bytes, str]], guard: int) -> tuple[Step, ...]:
    """The first steps of an inference.

    Args:
        states: buffer id, bytes after a reset and name of each.
        guard: buffer id of the word.
    """
    magic = zlib.crc32(b"".join(initial for _, initial, _ in states)) | 1
    return tuple(
        step(
            k.STATE,
            name,
            guard=Buffer(guard),
            output=Buffer(buffer),
            size=len(initial),
            magic=magic,
            initial=Weights(initial, (len(initial),)) if len({*initial}) > 1 else 0,
            fill=int.from_bytes(initial[:1], "little", signed=True),
            from_weights=int(len({*initial}) > 1),
            last=int(number + 1 == len(states)),
        )
        for number, (buffer, initial, name) in enumerate(states)
    )
