# SPDX-License-Identifier: Apache-2.0
"""Decisions on a stream: the C equals the reference, and the reference decides as it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from dimmer.firmware_gen.features.detector import (
    NEVER,
    NOTHING,
    ActivitySpec,
    DetectorSpec,
    activity,
    detections,
    smoothed,
)
from dimmer.firmware_gen.features.spec import SpecError
from dimmer.targets import load_target
from tests.firmware_gen.features.on_target import FEW, build, on_all, run

SPEC = DetectorSpec((NEVER, 60, 40, 100), average=4, quiet=6)
GATE = ActivitySpec(margin=60_000, rise=0.1, fall=0.5, hold=3)


def random_scores(count: int, seed: int) -> npt.NDArray[np.int8]:
    """Posteriors that rise and fall."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(size=(count, 4)) * 25, axis=0) + rng.normal(size=(count, 4)) * 20
    return np.asarray(np.clip(np.abs((walk + 128) % 512 - 256) - 128, -128, 127), dtype=np.int8)


@pytest.mark.parametrize(("what", "name"), on_all("detector and gate", by_default=FEW))
def test_a_stream_of_a_thousand(tmp_path: Path, what: str, name: str) -> None:
    scores = random_scores(1000, 1)
    levels = scores[:, 0].astype(np.int64) * 1000
    wanted = np.stack([detections(SPEC, scores), activity(GATE, levels)], axis=1).astype(np.int8)
    assert len({*wanted[:, 0].tolist()}) == 4, "nothing, and three classes"
    assert 0.1 < wanted[:, 1].mean() < 0.9
    target = load_target(name)
    assert run(target, build(target, tmp_path, None, SPEC, GATE), scores, 0) == wanted.tobytes()


def test_an_average_is_of_the_newest_and_of_silence_before() -> None:
    scores = np.array([[100], [-20], [7], [0]], dtype=np.int8)
    assert smoothed(scores, 2)[:, 0].tolist() == [-28, 80, -13, 7]


def test_the_largest_of_those_over_their_thresholds_is_detected_once() -> None:
    scores = np.full((12, 3), -128, dtype=np.int8)
    scores[3:5] = (120, 100, 127)
    spec = DetectorSpec((200, 150, NEVER), average=2, quiet=4)
    assert detections(spec, scores).tolist() == [NOTHING] * 4 + [0] + [NOTHING] * 7
    scores[9:11] = (-128, 100, -128)
    assert detections(spec, scores).tolist() == [NOTHING] * 4 + [0] + [NOTHING] * 5 + [1, NOTHING]


def test_a_gate_opens_over_the_floor_and_holds() -> None:
    levels = np.array([100] * 5 + [200] + [100] * 6)
    gate = ActivitySpec(margin=50, rise=0.0, fall=0.5, hold=2)
    assert activity(gate, levels).tolist() == [False] * 5 + [True] * 3 + [False] * 4
    steady = np.array([100] * 5 + [200] * 400)
    opened = activity(ActivitySpec(margin=50, rise=0.02, fall=0.5, hold=0), steady)
    assert opened[5]
    assert not opened[-1], "what stays is no event: the floor has followed"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: DetectorSpec((), 1, 0), "thresholds"),
        (lambda: DetectorSpec((0,), 0, 0), "average must be 1 to 255"),
        (lambda: DetectorSpec((0,), 1, 70_000), "quiet must be 0 to 65535"),
        (lambda: ActivitySpec(-1), "margin must be 0"),
        (lambda: ActivitySpec(1, rise=1.0), "rise must be 0 to 0.999"),
        (lambda: ActivitySpec(1, hold=65_535), "hold must be"),
    ],
)
def test_what_cannot_be_is_refused(make: object, said: str) -> None:
    assert callable(make)
    with pytest.raises(SpecError, match=said):
        make()
