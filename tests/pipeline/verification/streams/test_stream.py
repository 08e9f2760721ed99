# SPDX-License-Identifier: Apache-2.0
"""Recordings of a split as a stream with events."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dimmer.firmware_gen.features.tune import Event
from dimmer.pipeline.data.own import OwnData
from dimmer.pipeline.data.prepare import prepared
from dimmer.pipeline.verification.streams.stream import Stream, events_among, stream_of
from tests.own_data import cache, write_recordings
from tests.pipeline.data.readers.test_heard import HEARD, SECTION

__all__ = ["cache"]


def test_events_are_inferences_that_see_half_of_one() -> None:
    stream = Stream(np.zeros(400, np.int16), (0, 1, 0, 1), 100)
    # Inference n has heard samples n * 10 to n * 10 + 100; window 1 lies at 100 to 200: seen by half from 50 to 150.
    assert stream.events({1}, 100, 10, 31) == (Event(1, 5, 16), Event(1, 25, 31))
    assert stream.events({0}, 100, 10, 31) == (Event(0, 0, 6), Event(0, 15, 26))
    assert stream.events({1}, 100, 10, 5) == ()


def test_what_is_called_noise_is_no_event() -> None:
    assert events_among(("_Background_", "yes", "no", "_unknown_")) == (1, 2)


def test_the_stream_holds_a_split_and_nothing_else(tmp_path: Path, cache: Path) -> None:
    write_recordings(tmp_path / "d", {"low": 8, "high": 8})
    data = OwnData(SECTION, tmp_path, HEARD)
    found = prepared(data)
    stream = stream_of(data, "val")
    assert len(stream.labels) == len(found.dataset.val)
    assert sorted(stream.labels) == sorted(found.dataset.val.labels.tolist())
    assert len(stream.samples) == 480 * len(stream.labels)
    assert stream.samples.std() > 1000
    assert stream_of(data, "val").samples.tolist() == stream.samples.tolist()
