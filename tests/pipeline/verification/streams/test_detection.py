# SPDX-License-Identifier: Apache-2.0
"""What ears make of a stream: the rows that the device makes, and scores of whole inputs of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.firmware_gen.features.audio import features
from dimmer.firmware_gen.features.presets import MLPERF_KWS
from dimmer.firmware_gen.features.tables import audio_tables
from dimmer.pipeline.hosted.model import Model
from dimmer.pipeline.verification.streams.detection import Ears, ears_of
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
