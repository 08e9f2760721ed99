"""What came of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dimmer.pipeline.image.records import Record

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Int8 = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Outcome:
    """What came of comparing one backend.

    Attributes:
        samples: inferences compared.
        mismatches: those of which any output byte, or the mode of any block, differed.
        first: index of the first mismatching record, or None.
    """

    samples: int
    mismatches: int
    first: int | None


def compare(records: Sequence[Record], expected: Int8, outputs: Int8, ran: npt.NDArray[np.uint8]) -> Outcome:
    """Counts the records whose output or trace of modes differs in any byte."""
    import numpy as np

    wanted = np.array([record.schedule for record in records], np.uint8)
    wrong = (outputs != expected).any(1) | (ran != wanted).any(1)
    return Outcome(len(records), int(wrong.sum()), int(np.argmax(wrong)) if wrong.any() else None)
