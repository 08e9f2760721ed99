"""Running a firmware over records of schedules and inputs."""

from __future__ import annotations

import json
import os
import struct
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.image.compiled import Compiled
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.targets import Target

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Int8 = npt.NDArray[np.int8]


def _run(target: Target, elf: Path, arguments: Sequence[str], cwd: Path, count: bool = False) -> list[dict[str, Any]]:
    """The JSON lines that a firmware writes."""
    done = target.run(elf, arguments, cwd, count=count)
    events = []
    for line in done.stdout.splitlines():
        try:
            event = json.loads(line)
        except ValueError as error:
            raise DimmerError(
                f"{target.name}: the firmware wrote {line[:80]!r}, which is no JSON; report it"
            ) from error
        events.append(event)
    return events


def _check_known_answers(target: Target, full: Compiled, out: Path) -> None:
    events = _run(target, full.elf, ["selftest"], out)
    failed = [event["mode"] for event in events if event.get("event") == "selftest" and not event["ok"]]
    if failed or len(events) != len(full.model.modes):
        raise DimmerError(
            f"{target.name}: the self-test of {', '.join(failed) or 'some mode'} fails: the firmware does not compute "
            "what the TFLite interpreter does; do not flash it, report it"
        )


def verify_modes(order: Order, target: Target, full: Compiled, progress: Progress) -> dict[str, dict[str, Any]]:
    """Compares every mode with the reference interpreter on random and on edge inputs, on the target.

    Returns:
        mode -> samples, mismatches, backend.
    """
    inputs = sample_inputs(order.modes[0].path, order.samples)
    size, result_size, positions = full.model.input_bytes, full.model.output_bytes, full.model.positions
    count = len(inputs) // size
    found = {}
    for number, mode in enumerate(order.modes):
        progress(f"{mode.name} against the interpreter", 0.4 + 0.6 * number / len(order.modes))
        expected = reference_outputs(mode.path, inputs)
        with tempfile.TemporaryDirectory() as work:
            folder = Path(work)
            parts = [b"DMV1" + struct.pack("<4I", count, size, result_size, positions)]
            parts += [bytes([number]) * positions + inputs[at : at + size] for at in range(0, len(inputs), size)]
            (folder / "in.bin").write_bytes(b"".join(parts))
            _run(target, full.elf, ["verify", "in.bin", "out.bin"], folder)
            raw = (folder / "out.bin").read_bytes()
        step = result_size + positions
        if len(raw) != count * step:
            raise DimmerError(f"{target.name}: {len(raw)} bytes of results, expected {count * step}; it ended early")
        trace = bytes([number]) * positions
        wrong = sum(
            raw[i * step : (i + 1) * step] != expected[i * result_size : (i + 1) * result_size] + trace
            for i in range(count)
        )
        found[mode.name] = {"samples": count, "mismatches": wrong, "backend": target.description}
    return found


MAGIC = b"DMV1"

SHARD = 32

WORKERS = max(1, min(2, os.cpu_count() or 1))


@dataclass(frozen=True)
class Record:
    """One inference to verify.

    Attributes:
        schedule: mode id in force at each position.
        image: index into the test images.
    """

    schedule: tuple[int, ...]
    image: int


def run_records(
    target: Target,
    elf: Path,
    ids: Sequence[int],
    records: Sequence[Record],
    images: Int8,
    output_bytes: int,
    done: Callable[[int], None],
) -> tuple[Int8, npt.NDArray[np.uint8]]:
    """Runs the firmware over records, in shards side by side.

    Args:
        ids: the id in this firmware of each mode of the schedules.
        done: called with the number of records of each finished shard.

    Returns:
        (outputs int8[N, output_bytes], mode that ran at each position uint8[N, positions]). Modes are numbered as in
        the schedules; 255 is one that they do not know.

    Raises:
        TargetError: the firmware or its runner failed.
        DimmerError: it wrote too little.
    """
    import numpy as np

    positions = len(records[0].schedule)

    def one(shard: Sequence[Record]) -> npt.NDArray[np.uint8]:
        with tempfile.TemporaryDirectory() as work:
            folder = Path(work)
            parts = [MAGIC, struct.pack("<4I", len(shard), images[0].size, output_bytes, positions)]
            for record in shard:
                parts += [bytes(ids[mode] for mode in record.schedule), images[record.image].tobytes()]
            (folder / "in.bin").write_bytes(b"".join(parts))
            target.run(elf, ["verify", "in.bin", "out.bin"], folder)
            raw = np.frombuffer((folder / "out.bin").read_bytes(), np.uint8)
        if raw.size != len(shard) * (output_bytes + positions):
            raise DimmerError(f"{target.name} wrote {raw.size} bytes of verification output; it ended early")
        done(len(shard))
        return raw.reshape(len(shard), output_bytes + positions)

    shards = [records[i : i + SHARD] for i in range(0, len(records), SHARD)]
    with ThreadPoolExecutor(WORKERS) as pool:
        rows = np.concatenate(list(pool.map(one, shards)))
    numbers = np.full(256, 255, np.uint8)
    numbers[list(ids)] = range(len(ids))
    return rows[:, :output_bytes].view(np.int8), numbers[rows[:, output_bytes:]]
