# SPDX-License-Identifier: Apache-2.0
"""What the TFLite interpreter makes of records."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.image.protocol import WORKERS
from dimmer.pipeline.image.records import Record
from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, run_oracle

if TYPE_CHECKING:
    from dimmer.pipeline.core.arrays import Int8


def oracle(sources: Sequence[ModeSource], records: Sequence[Record], images: Int8) -> Int8:
    """The interpreter's outputs with its reference kernels: int8[len(records), output].

    Args:
        images: int8[N,H,W,C].

    Raises:
        DimmerError: the interpreter refuses a mode's file.
    """
    import numpy as np

    from dimmer.pipeline.oracle.splice import splice

    by_schedule: dict[tuple[int, ...], list[int]] = {}
    for i, record in enumerate(records):
        by_schedule.setdefault(record.schedule, []).append(i)
    outputs: dict[int, Int8] = {}
    with children.scratch() as work:
        jobs = []
        for number, (schedule, members) in enumerate(by_schedule.items()):
            model = sources[schedule[0]].path
            if len(set(schedule)) > 1:
                model = work / f"mixed{number}.tflite"
                model.write_bytes(splice(sources, schedule))
            jobs.append(OracleJob(model, b"".join(images[records[i].image].tobytes() for i in members)))
        with ThreadPoolExecutor(WORKERS) as pool:
            halves = list(pool.map(run_oracle, [jobs[w::WORKERS] for w in range(WORKERS)]))
        for number, (schedule, members) in enumerate(by_schedule.items()):
            answer = halves[number % WORKERS][number // WORKERS]
            if isinstance(answer, OracleFailure):
                raise DimmerError(
                    f"the TFLite interpreter cannot run schedule {schedule}: {answer.reason}; convert again"
                )
            rows = np.frombuffer(answer, np.int8).reshape(len(members), -1)
            outputs.update(zip(members, rows, strict=True))
    return np.stack([outputs[i] for i in range(len(records))])
