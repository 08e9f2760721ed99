# SPDX-License-Identifier: Apache-2.0
"""A stream on a target; that it is compared bit for bit is in the tutorial's test."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.features.detector import NEVER, DetectorSpec
from dimmer.pipeline import firmware
from dimmer.pipeline.verification.streams.board import stream_on
from dimmer.pipeline.verification.streams.detection import Detection
from dimmer.pipeline.verification.streams.stream import Stream
from dimmer.targets import load_target
from tests.pipeline.verification.streams.test_detection import NOISE, ears
from tests.tiny import TinyBuild, silent


@pytest.mark.xdist_group("tiny")
def test_a_mode_that_the_target_has_not_is_one_line(tiny_converted: TinyBuild) -> None:
    host = load_target("host")
    firmware.run(tiny_converted.recipe, tiny_converted.build, host, silent)
    unused: Any = None
    found = Detection(ears(5), DetectorSpec((NEVER, 0), 1, 0), 0.0, (1,), cast(Any, unused), cast(Any, unused))
    with pytest.raises(DimmerError, match=r"host has no mode 88; it has 88\.88, .*: name one with --mode"):
        stream_on(host, tiny_converted.build, found, Stream(NOISE.astype(np.int16), (0,), 24_000), 1.0)


def test_without_a_build_it_says_what_to_type(tmp_path: Path) -> None:
    unused: Any = None
    found = Detection(ears(5), DetectorSpec((NEVER, 0), 1, 0), 0.0, (1,), cast(Any, unused), cast(Any, unused))
    with pytest.raises(DimmerError):
        stream_on(load_target("host"), tmp_path, found, Stream(NOISE, (0,), 24_000), 1.0)
