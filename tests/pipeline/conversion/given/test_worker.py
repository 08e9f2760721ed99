# SPDX-License-Identifier: Apache-2.0
"""A float file becomes int8 with the chosen ranges, and says what that costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.artifacts.quantised import INPUTS, Quantised
from dimmer.pipeline.conversion.given import worker
from tests.pipeline.conversion.given.networks import hybrid_tflite, samples, written

pytestmark = pytest.mark.xdist_group("tiny")


def test_int8_with_our_ranges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ways: dict[str, Callable[..., None]] = {"float": worker._float, "int8": worker._int8}
    # In this process, which has imported the quantiser already.
    monkeypatch.setattr(worker, "_work", lambda _source, what, *words: ways[what](*words))
    worker.make_float(written(tmp_path, hybrid_tflite(), "a.tflite"), "tflite", tmp_path)
    images, labels = samples()
    given = worker.Samples((images[:20],), (images[20:],), labels[20:], True, "samples.npz")
    worker.make_int8(given, "a.tflite", "net", tmp_path)
    found = Quantised.load(tmp_path)
    assert (found.source, found.file, found.data, found.calibrated, found.inputs) == (
        *("a.tflite", "net.tflite", "samples.npz"),
        *(20, 20),
    )
    assert (found.cost.accuracy_float, found.cost.accuracy, found.cost.samples, found.cost.apart) == (1, 1, 20, True)
    assert found.cost.sqnr_db > 20
    graph = read_tflite(tmp_path / found.file)
    assert {tensor.dtype.value for tensor in graph.tensors} <= {"int8", "int32"}
    first = found.ranges[0]
    assert graph.tensors[graph.input].q.scale == pytest.approx((first.high - first.low) / 255, rel=1e-6)
    codes = np.frombuffer((tmp_path / INPUTS).read_bytes(), np.int8)
    q = graph.tensors[graph.input].q
    wanted = np.clip(np.rint(images[20:] / q.scale) + q.zero_point, -128, 127).reshape(-1)
    assert np.array_equal(codes, wanted)


@pytest.mark.slow
def test_what_goes_wrong_in_the_process_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"^a\.tflite: is damaged or no \.tflite file"):
        worker.make_float(written(tmp_path, b"no", "a.tflite"), "tflite", tmp_path)
