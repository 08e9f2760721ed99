# SPDX-License-Identifier: Apache-2.0
"""Running a firmware whose gates choose the bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dimmer.firmware_gen.gates import Codes
from dimmer.pipeline.core.arrays import Int8, UInt8
from dimmer.pipeline.image.protocol import GATED, Sizes, run_records
from dimmer.targets import Target


@dataclass(frozen=True, eq=False)
class Gated:
    """Gated inferences.

    Attributes:
        outputs: int8[N, output].
        bits: uint8[N, blocks].
    """

    outputs: Int8
    bits: UInt8


def run_gated(
    target: Target,
    elf: Path,
    images: Int8,
    levels: Codes,
    blocks: int,
    output_bytes: int,
    done: Callable[[int], None] = lambda count: None,
) -> Gated:
    """Runs the firmware in gated mode.

    Args:
        images: int8[N,H,W,C].
        levels: int64[N], 0..255, of each image's budget.
        done: called with the number of images of each finished shard.

    Raises:
        TargetError, DimmerError: as `protocol.run_records`.
    """

    def packed(number: int) -> bytes:
        image: bytes = images[number].tobytes()
        return bytes([int(levels[number])]) + image

    sizes = Sizes(images[0].size, output_bytes, blocks)
    rows = run_records(target, elf, GATED, sizes, len(images), packed, done)
    return Gated(rows[:, :output_bytes].view(np.int8), rows[:, output_bytes:])
