# SPDX-License-Identifier: Apache-2.0
"""What `dimmer detect` leaves: a detector, and what it makes of validation and test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dimmer.pipeline.core.documents import load_document, save_document

RESULT = "detect.json"


def detected_folder(build: Path) -> Path:
    """Where the verb writes, under ``build/<model>``."""
    return build / "detect"


@dataclass(frozen=True)
class HeardEvents:
    """What a detector makes of the recordings of a split.

    Attributes:
        seconds: of sound.
        events, missed: counts.
        miss_interval: of the share of events that are missed, 95 % (Wilson).
        alarms: detections that hit no event.
        alarms_per_hour: the same an hour.
        alarm_interval: of it, 95 % (Poisson).
    """

    seconds: float
    events: int
    missed: int
    miss_interval: tuple[float, float]
    alarms: int
    alarms_per_hour: float
    alarm_interval: tuple[float, float]


@dataclass(frozen=True)
class Detected:
    """The content of detect.json.

    Attributes:
        mode: that ran.
        tflite_sha256: of its file: another one is another model, of which this says nothing.
        classes: names of those that are events.
        threshold: of the mean of `average` real outputs.
        quiet: inferences after a detection that detect nothing.
        period_s: from one inference to the next.
        alarms_allowed: false alarms an hour that were to be had on validation, at most.
    """

    mode: str
    tflite_sha256: str
    classes: tuple[str, ...]
    threshold: float
    average: int
    quiet: int
    period_s: float
    alarms_allowed: float
    validation: HeardEvents
    test: HeardEvents

    def save(self, folder: Path) -> None:
        """Write detect.json."""
        save_document(folder / RESULT, self)

    @classmethod
    def load(cls, folder: Path) -> Detected:
        """Read it.

        Raises:
            DimmerError: it is missing or damaged.
        """
        return load_document(cls, folder / RESULT)
