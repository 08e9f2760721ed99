# SPDX-License-Identifier: Apache-2.0
"""What the interpreter makes of records."""

from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.image.records import Record
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.oracle.splice import splice
from dimmer.pipeline.verification.expected import oracle
from tests.firmware_gen.modes import write_modes

IMAGES = np.random.default_rng(3).integers(-128, 128, (4, 10, 10, 3)).astype(np.int8)


def test_plain_and_mixed_schedules_stand_in_the_order_of_the_records(tmp_path: Path) -> None:
    sources = write_modes(tmp_path)
    mixed = (0, 1, 2, 0, 1)
    records = [Record((2,) * 5, 1), Record(mixed, 0), Record((0,) * 5, 3), Record(mixed, 2), Record((2,) * 5, 0)]
    found = oracle(sources, records, IMAGES)
    spliced = tmp_path / "mixed.tflite"
    spliced.write_bytes(splice(sources, mixed))
    files: dict[tuple[int, ...], Path] = {(0,) * 5: sources[0].path, (2,) * 5: sources[2].path, mixed: spliced}
    for row, record in zip(found, records, strict=True):
        assert row.tobytes() == reference_outputs(files[record.schedule], IMAGES[record.image].tobytes())


def test_a_file_that_the_interpreter_refuses_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.tflite"
    path.write_bytes(b"not a model at all, but long enough")
    with pytest.raises(DimmerError, match=r"cannot run schedule \(0,\): .*; convert again"):
        oracle([ModeSource("8", path)], [Record((0,), 0)], IMAGES)
