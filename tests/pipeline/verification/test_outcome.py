# SPDX-License-Identifier: Apache-2.0
"""What counts as a mismatch."""

import numpy as np

from dimmer.pipeline.artifacts.verification import Outcome
from dimmer.pipeline.image.records import Ran, Record
from dimmer.pipeline.verification.outcome import compare


def test_a_wrong_byte_and_a_wrong_trace_are_mismatches() -> None:
    records = [Record((0, 0), 0), Record((0, 1), 1), Record((1, 1), 2)]
    expected = np.arange(9, dtype=np.int8).reshape(3, 3)
    modes = np.array([[0, 0], [0, 1], [1, 1]], np.uint8)
    assert compare(records, expected, Ran(expected.copy(), modes)).mismatches == 0
    wrong = expected.copy()
    wrong[2, 1] += 1
    assert compare(records, expected, Ran(wrong, modes)) == Outcome(3, 1, 2)
    other = modes.copy()
    other[1, 1] = 0
    assert compare(records, expected, Ran(expected, other)).first == 1
