# SPDX-License-Identifier: Apache-2.0
"""Records of runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.reporting.experiments.record import packed, read_run, unpacked
from dimmer.pipeline.reporting.experiments.runs import runs_of
from dimmer.pipeline.reporting.experiments.table import Table
from tests.pipeline.reporting.experiments.small import made_up


@pytest.mark.parametrize("count", [1, 8, 21, 1000])
def test_right_predictions_are_a_bit_each(count: int) -> None:
    right = np.random.default_rng(count).random(count) < 0.7
    text = packed(right)
    assert unpacked(text, count).tolist() == right.astype(float).tolist()
    assert len(text) <= 4 * (count // 24 + 1)


def test_a_record_is_read_as_it_was_written(table: Table, tmp_path: Path) -> None:
    (run, *_) = runs_of(table, tmp_path / "out")
    record = made_up(run)
    path = tmp_path / "run.json"
    assert read_run(path) is None
    path.write_text(json.dumps(record.to_json()))
    assert read_run(path) == record
    assert record.right("base").sum() == 80
    path.write_text("{}")
    with pytest.raises(DimmerError, match=r"run\.json is no record of a run .*remove it and run the table again"):
        read_run(path)
