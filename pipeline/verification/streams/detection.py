# SPDX-License-Identifier: Apache-2.0
"""A detector behind a built model: tuned on validation, looked at on test, compared on a target bit for bit."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.firmware_gen.features.audio import features
from dimmer.firmware_gen.features.detector import DetectorSpec
from dimmer.firmware_gen.features.tables import AudioTables
from dimmer.firmware_gen.features.tune import Outcome, Recording, evaluate, tune
from dimmer.pipeline.artifacts.converted import converted_folder, mode_sources
from dimmer.pipeline.artifacts.detected import Detected, HeardEvents
from dimmer.pipeline.data.own import CLASSES, OwnData
from dimmer.pipeline.hosted.loading import load
from dimmer.pipeline.hosted.model import Model
from dimmer.pipeline.image.around import surroundings_of
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.verification.streams.stream import Stream, events_among, stream_of
from dimmer.toml import shown


@dataclass(frozen=True)
class Wish:
    """What a detector is to be.

    Attributes:
        alarms_per_hour: at most, on validation.
        average: newest inferences whose outputs are added up.
        quiet: inferences after a detection that detect nothing.
        hop: rows from one inference to the next; 0 for a tenth of an input's.
        events: names of the classes that are events; empty for all but those that are called noise or the like.
    """

    alarms_per_hour: float
    average: int = 3
    quiet: int = 10
    hop: int = 0
    events: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Ears:
    """A built model with the front end before it, on this machine.

    Attributes:
        mode: that runs.
        front: tables of the front end.
        hop: rows from one inference to the next.
    """

    model: Model
    mode: str
    front: AudioTables
    hop: int

    def inputs(self, samples: NDArray[np.int16]) -> NDArray[np.int8]:
        """What the network sees of a stream, int8[N, *input_shape[1:]]."""
        rows, spec = features(self.front, samples), self.front.spec
        starts = range(0, len(rows) - spec.rows + 1, self.hop)
        windows = [rows[start : start + spec.rows] for start in starts]
        return np.reshape(windows, (len(windows), *self.model.input_shape[1:])).astype(np.int8)

    def scores(self, stream: Stream) -> NDArray[np.int8]:
        """The outputs' codes, int8[N, classes].

        Raises:
            DimmerError: the stream is shorter than an input.
        """
        inputs = self.inputs(stream.samples)
        if not len(inputs):
            raise DimmerError(f"{len(stream.samples)} samples are fewer than an input takes: give more recordings")
        return self.model.run(inputs, self.mode).reshape(len(inputs), -1)

    def recording(self, stream: Stream, wanted: Sequence[int]) -> Recording:
        """Scores of a stream, and its events."""
        scores, spec = self.scores(stream), self.front.spec
        events = stream.events(wanted, spec.samples, self.hop * spec.step, len(scores))
        return Recording(scores, events)

    @property
    def period_s(self) -> float:
        """From one inference to the next."""
        return self.hop * self.front.spec.step / self.front.spec.rate


@dataclass(frozen=True, eq=False)
class Detection:
    """A tuned detector.

    Attributes:
        ears: what it listens with.
        detector: its thresholds.
        threshold: the same, of the mean of real outputs, as [features.detector] has it.
        wanted: classes that are events.
        validation, test: what it makes of them.
    """

    ears: Ears
    detector: DetectorSpec
    threshold: float
    wanted: tuple[int, ...]
    validation: Outcome
    test: Outcome


def ears_of(recipe: Recipe, build: Path, mode: str | None, hop: int) -> Ears:
    """The built model, in a mode or its first one.

    Raises:
        DimmerError: it hears nothing, was not built, has no such mode, or does not hear what lies between two
            inferences.
    """
    source = recipe.source
    if not isinstance(source, OwnData) or source.heard is None or source.section.task != CLASSES:
        raise DimmerError(
            f"{recipe.name}: detectors are for classes of recordings with [features]; 'dimmer init --data' of a folder "
            "of WAVs makes such a model"
        )
    around = surroundings_of(recipe, build)
    assert around is not None
    assert isinstance(around.front, AudioTables)
    rows = around.front.spec.rows
    if hop > rows:
        # Events that no inference hears would be in no count.
        raise DimmerError(f"--hop {hop}: an input has {rows} rows, and what is between two would not be heard")
    model = load(build)
    name = model.modes[0] if mode is None else mode
    if name not in model.modes:
        raise DimmerError(f"{recipe.name} has no mode {shown(name)}; it has {', '.join(model.modes)}")
    return Ears(model, name, around.front, hop or max(1, rows // 10))


def detect(recipe: Recipe, build: Path, wish: Wish, mode: str | None = None) -> Detection:
    """The detector of a built model with the fewest misses on validation at so many false alarms.

    Raises:
        DimmerError: as `ears_of`, or no class is an event.
        SpecError: there are more false alarms at every threshold.
    """
    ears = ears_of(recipe, build, mode, wish.hop)
    data = recipe.source
    assert isinstance(data, OwnData)
    classes = data.section.classes
    for name in wish.events:
        if name not in classes:
            raise DimmerError(f"--event {shown(name)}: the classes are {', '.join(map(shown, classes))}")
    wanted = tuple(map(classes.index, wish.events)) or events_among(classes)
    if not wanted:
        raise DimmerError("no class is an event by its name: name one with --event")
    validation, test = (ears.recording(stream_of(data, split), wanted) for split in ("val", "test"))
    # A detection comes late by what is averaged.
    tuned = tune(
        [validation],
        wanted,
        ears.period_s,
        wish.alarms_per_hour,
        average=wish.average,
        quiet=wish.quiet,
        tolerance=wish.average,
    )
    of_event = tuned.detector.thresholds[wanted[0]]
    threshold = (of_event / wish.average - ears.model.output_zero_point) * float(ears.model.output_scale)
    outcome = evaluate(tuned.detector, [test], ears.period_s, wish.average)
    return Detection(ears, tuned.detector, threshold, wanted, tuned.outcome, outcome)


def detected(recipe: Recipe, build: Path, wish: Wish, found: Detection) -> Detected:
    """The same as what is kept beside the build."""
    data, ears = recipe.source, found.ears
    assert isinstance(data, OwnData)
    (path,) = (one.path for one in mode_sources(converted_folder(build)) if one.name == ears.mode)
    return Detected(
        mode=ears.mode,
        tflite_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        classes=tuple(data.section.classes[number] for number in found.wanted),
        threshold=found.threshold,
        average=wish.average,
        quiet=wish.quiet,
        period_s=ears.period_s,
        alarms_allowed=wish.alarms_per_hour,
        validation=_heard(found.validation),
        test=_heard(found.test),
    )


def _heard(one: Outcome) -> HeardEvents:
    return HeardEvents(
        seconds=3600 * one.hours,
        events=one.events,
        missed=one.missed,
        miss_interval=one.miss_interval,
        alarms=one.alarms,
        alarms_per_hour=one.alarms_per_hour,
        alarm_interval=one.alarm_interval,
    )
