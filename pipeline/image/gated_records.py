"""Running a firmware whose gates choose the bits."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dimmer.firmware_gen.gates import Codes
from dimmer.pipeline.core.errors import DimmerError
from dimmer.targets import Target

MAGIC = b"DMG1"

SHARD = 250

WORKERS = 2

Int8 = NDArray[np.int8]

Bits = NDArray[np.uint8]


@dataclass(frozen=True)
class Gated:
    """Gated inferences.

    Attributes:
        outputs: int8[N, output].
        bits: uint8[N, blocks].
    """

    outputs: Int8
    bits: Bits


def run_gated(
    target: Target,
    elf: Path,
    images: Int8,
    levels: Codes,
    blocks: int,
    output_bytes: int,
    done: Callable[[int], None] = lambda count: None,
) -> Gated:
    """Runs the firmware in gated mode, in shards side by side.

    Args:
        done: called with the number of images of each finished shard.

    Raises:
        TargetError: the firmware or its runner failed.
        DimmerError: it wrote too little.
    """

    def one(start: int) -> Bits:
        part, own = images[start : start + SHARD], levels[start : start + SHARD]
        with tempfile.TemporaryDirectory() as work:
            folder = Path(work)
            parts = [MAGIC, struct.pack("<4I", len(part), part[0].size, output_bytes, blocks)]
            parts += [bytes([level]) + image.tobytes() for level, image in zip(own.tolist(), part, strict=True)]
            (folder / "in.bin").write_bytes(b"".join(parts))
            target.run(elf, ["gated", "in.bin", "out.bin"], folder)
            raw = np.frombuffer((folder / "out.bin").read_bytes(), np.uint8)
        if raw.size != len(part) * (output_bytes + blocks):
            raise DimmerError(f"{target.name} wrote {raw.size} bytes of gated results; it ended early")
        done(len(part))
        return raw.reshape(len(part), output_bytes + blocks)

    with ThreadPoolExecutor(WORKERS) as workers:
        rows = np.concatenate(list(workers.map(one, range(0, len(images), SHARD))))
    return Gated(rows[:, :output_bytes].view(np.int8), rows[:, output_bytes:])
