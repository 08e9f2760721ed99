# SPDX-License-Identifier: Apache-2.0
"""Running a firmware over schedules and inputs, and over random ones against the interpreter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dimmer.pipeline.artifacts.firmware import Verification
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.image.compiled import Compiled
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.image.protocol import VERIFY, Sizes, run_records
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.targets import Target

if TYPE_CHECKING:
    from dimmer.pipeline.core.arrays import Int8, UInt8

UNKNOWN_MODE = 255


@dataclass(frozen=True)
class Record:
    """One inference to verify.

    Attributes:
        schedule: mode id in force at each position.
        image: index into the test images.
    """

    schedule: tuple[int, ...]
    image: int


@dataclass(frozen=True, eq=False)
class Ran:
    """What a firmware made of records.

    Attributes:
        outputs: int8[N, output].
        modes: uint8[N, positions], the mode that ran at each; `UNKNOWN_MODE` is one that the schedules do not know.
    """

    outputs: Int8
    modes: UInt8


def run_schedules(
    target: Target,
    elf: Path,
    ids: Sequence[int],
    records: Sequence[Record],
    images: Int8,
    output_bytes: int,
    done: Callable[[int], None] = lambda count: None,
) -> Ran:
    """Runs the firmware over records.

    Args:
        ids: the id in this firmware of each mode of the schedules.
        images: int8[N,H,W,C].
        done: called with the number of records of each finished shard.

    Raises:
        TargetError, DimmerError: as `protocol.run_records`.
    """
    import numpy as np

    def packed(number: int) -> bytes:
        record = records[number]
        image: bytes = images[record.image].tobytes()
        return bytes(ids[mode] for mode in record.schedule) + image

    sizes = Sizes(images[0].size, output_bytes, len(records[0].schedule))
    rows = run_records(target, elf, VERIFY, sizes, len(records), packed, done)
    numbers = np.full(256, UNKNOWN_MODE, np.uint8)
    numbers[list(ids)] = range(len(ids))
    return Ran(rows[:, :output_bytes].view(np.int8), numbers[rows[:, output_bytes:]])


def verify_modes(order: Order, target: Target, full: Compiled, progress: Progress) -> dict[str, Verification]:
    """Compares every mode with the reference interpreter on edge cases, random and given inputs, on the target.

    Returns:
        Mode -> what came of it.
    """
    import numpy as np

    model = full.model
    # Edge cases come first; of an odd number there is one more of them.
    inputs = sample_inputs(order.modes[0].path, (order.samples + 1) // 2)[: order.samples * model.input_bytes]
    inputs += order.given
    sizes = Sizes(model.input_bytes, model.output_bytes, model.positions)
    count = len(inputs) // sizes.input
    found = {}
    for number, mode in enumerate(order.modes):
        progress(f"{mode.name} against the interpreter", 0.4 + 0.6 * number / len(order.modes))
        trace = bytes([number]) * sizes.places

        def packed(at: int, trace: bytes = trace) -> bytes:
            return trace + inputs[at * sizes.input : (at + 1) * sizes.input]

        rows = run_records(target, full.elf, VERIFY, sizes, count, packed)
        outputs = reference_outputs(mode.path, inputs, anew=sizes.shard(VERIFY))
        expected = np.frombuffer(outputs, np.uint8).reshape(count, sizes.output)
        wrong = (rows[:, : sizes.output] != expected).any(1) | (rows[:, sizes.output :] != number).any(1)
        found[mode.name] = Verification(count, int(wrong.sum()), target.description)
    return found
