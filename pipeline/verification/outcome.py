# SPDX-License-Identifier: Apache-2.0
"""What came of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dimmer.pipeline.artifacts.verification import Outcome
from dimmer.pipeline.image.records import Ran, Record

if TYPE_CHECKING:
    from dimmer.pipeline.core.arrays import Int8


def compare(records: Sequence[Record], expected: Int8, ran: Ran) -> Outcome:
    """Counts the records whose output or trace of modes differs in any byte.

    Args:
        expected: int8[N, output], what the interpreter makes of them.
    """
    import numpy as np

    wanted = np.array([record.schedule for record in records], np.uint8)
    wrong = (ran.outputs != expected).any(1) | (ran.modes != wanted).any(1)
    return Outcome(len(records), int(wrong.sum()), int(np.argmax(wrong)) if wrong.any() else None)
