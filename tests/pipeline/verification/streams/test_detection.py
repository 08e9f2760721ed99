# SPDX-License-Identifier: Apache-2.0
"""What ears make of a stream: the rows that the device makes, and scores of whole inputs of them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.firmware_gen.features.audio import features
from dimmer.firmware_gen.features.detector import NEVER, DetectorSpec
from dimmer.firmware_gen.features.presets import MLPERF_KWS
from dimmer.firmware_gen.features.tables import audio_tables
from dimmer.firmware_gen.features.tune import Outcome
from dimmer.pipeline.artifacts.converted import Converted, ConvertedMode, converted_folder
from dimmer.pipeline.data.own import DataSection, OwnData
from dimmer.pipeline.hosted.model import Model
from dimmer.pipeline.verification.streams import detection
from dimmer.pipeline.verification.streams.detection import Detection, Ears, Wish, detected, ears_of
from dimmer.pipeline.verification.streams.stream import Stream
from tests.tiny import TinyBuild

NOISE = np.random.default_rng(0).integers(-3000, 3000, 24_000).astype(np.int16)


def ears(hop: int) -> Ears:
    """With a network that answers with two of its inputs."""

    def run(inputs: NDArray[np.int8], mode: str) -> NDArray[np.int8]:
        assert mode == "88"
        assert inputs.dtype == np.int8
        return inputs.reshape(len(inputs), -1)[:, :2]

    model: Any = SimpleNamespace(run=run, input_shape=(1, 1, 49, 10))
    return Ears(cast(Model, model), "88", audio_tables(MLPERF_KWS), hop)


def test_inputs_are_rows_that_overlap() -> None:
    found = ears(5)
    rows = features(found.front, NOISE)
    inputs = found.inputs(NOISE)
    assert inputs.shape == (1 + (len(rows) - 49) // 5, 1, 49, 10)
    np.testing.assert_array_equal(inputs[2, 0], rows[10:59])
    assert found.period_s == pytest.approx(0.1)
    recording = found.recording(Stream(NOISE, (1, 0), 12_000), (1,))
    np.testing.assert_array_equal(recording.scores, inputs.reshape(len(inputs), -1)[:, :2])
    assert [event.label for event in recording.events] == [1]


def test_too_short_a_stream_is_one_line() -> None:
    with pytest.raises(DimmerError, match="fewer than an input takes: give more recordings"):
        ears(5).scores(Stream(NOISE[:1000], (0,), 1000))


def test_a_model_that_hears_nothing_is_refused(tiny: TinyBuild) -> None:
    with pytest.raises(DimmerError, match=r"detectors are for classes of recordings with \[features\]"):
        ears_of(tiny.recipe, Path(), None, 0)


@pytest.mark.parametrize(("hop", "taken"), [(0, 4), (49, 49), (50, None)])
def test_every_event_is_heard(hop: int, taken: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those between two inferences were left out of the count of events, and so of misses."""
    section = DataSection("recordings", "sounds", window=16000, classes=("noise", "one"))
    heard: Any = "rows"
    recipe: Any = SimpleNamespace(source=OwnData(section, Path(), heard), name="words")
    monkeypatch.setattr(detection, "surroundings_of", lambda *_: SimpleNamespace(front=audio_tables(MLPERF_KWS)))
    monkeypatch.setattr(detection, "load", lambda _: SimpleNamespace(modes=("88",)))
    if taken is None:
        with pytest.raises(DimmerError, match="--hop 50: an input has 49 rows"):
            ears_of(recipe, Path(), None, hop)
    else:
        assert ears_of(recipe, Path(), None, hop).hop == taken


def test_what_is_kept_tells_the_model_and_the_intervals(tmp_path: Path) -> None:
    folder = converted_folder(tmp_path)
    folder.mkdir(parents=True)
    (folder / "88.tflite").write_bytes(b"a mode")
    Converted(("stem",), (ConvertedMode("88", "88.tflite", ()),)).save(folder)
    section = DataSection("recordings", "sounds", window=16000, classes=("noise", "one"))
    recipe: Any = SimpleNamespace(source=OwnData(section, tmp_path, None))
    outcomes = Outcome(10, 1, 4, 0.5), Outcome(0, 0, 0, 0.25)
    found = Detection(ears(5), DetectorSpec((NEVER, 9), 2, 3), 4.5, (1,), *outcomes)
    kept = detected(recipe, tmp_path, Wish(8.0, average=2, quiet=3), found)
    assert (kept.mode, kept.classes, kept.threshold) == ("88", ("one",), 4.5)
    assert kept.tflite_sha256 == hashlib.sha256(b"a mode").hexdigest()
    assert (kept.average, kept.quiet, kept.alarms_allowed) == (2, 3, 8.0)
    assert kept.period_s == pytest.approx(0.1)
    assert (kept.validation.seconds, kept.validation.alarms_per_hour) == (1800, 8)
    assert kept.validation.miss_interval == outcomes[0].miss_interval
    assert kept.validation.alarm_interval == outcomes[0].alarm_interval
    assert kept.test.miss_interval == (0, 1)
