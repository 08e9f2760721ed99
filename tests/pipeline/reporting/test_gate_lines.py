# SPDX-License-Identifier: Apache-2.0
"""The plot of gates beside static modes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.gate_record import (
    BudgetFigures,
    GateFigures,
    GateRecord,
    GateRunId,
    Measured,
    StaticFigures,
)
from dimmer.pipeline.plot_gates import main
from dimmer.pipeline.reporting.gate_lines import lines_of


def budget(cost: float, accuracy: float, static_cost: float, static_accuracy: float) -> BudgetFigures:
    found = Measured(accuracy, cost, {"88": 10})
    return BudgetFigures(cost, found, found, StaticFigures("84", static_cost, static_accuracy))


UNIFORM = (
    StaticFigures("88", 1.0, 91.0),
    StaticFigures("80", 0.47, 89.5),
    StaticFigures("44", 0.26, 87.0),
    StaticFigures("40", 0.13, 84.0),
)
RECORD = GateRecord(
    run=GateRunId("lamp", "settings", {"model": "lamp", "alone": None}),
    seed=1,
    gates=GateFigures((8, 4, 0), 8, 16, 8, 1000, 0.001, 200),
    budgets=(budget(0.5, 90.0, 0.45, 89.0), budget(0.2, 85.0, 0.15, 84.0)),
    uniform=UNIFORM,
    skipping=UNIFORM[:2],
)


def write(path: Path, shift: float = 0.0) -> Path:
    lines = (replace(line, test=replace(line.test, accuracy=line.test.accuracy + shift)) for line in RECORD.budgets)
    record = replace(RECORD, budgets=tuple(lines))
    path.write_text(json.dumps({**record.to_json(), "history": []}))
    return path


def test_gates_of_one_budget_are_lines_of_their_own(tmp_path: Path) -> None:
    one = replace(RECORD, gates=replace(RECORD.gates, only_budget=0.2), budgets=RECORD.budgets[1:])
    (tmp_path / "one.json").write_text(json.dumps({**one.to_json(), "history": []}))
    lines = lines_of([write(tmp_path / "a.json"), tmp_path / "one.json"])
    assert lines["gates, {8, 4, 0}, budget 0.2"] == [(0.2, 85.0)]
    assert len(lines["gates, {8, 4, 0}"]) == 2
    few = replace(RECORD, budgets=RECORD.budgets[:1])
    (tmp_path / "few.json").write_text(json.dumps({**few.to_json(), "history": []}))
    with pytest.raises(DimmerError, match="measured at different budgets; draw those of the same budgets together"):
        lines_of([tmp_path / "a.json", tmp_path / "few.json"])


def test_seeds_are_averaged_and_static_modes_come_from_the_first(tmp_path: Path) -> None:
    lines = lines_of([write(tmp_path / "a.json"), write(tmp_path / "b.json", 1.0)])
    assert lines == {
        "gates, {8, 4, 0}, mean of 2 seeds": [(0.5, 90.5), (0.2, 85.5)],
        "best static mode": [(0.15, 84.0), (0.45, 89.0)],
        "super-net, one width": [(1.0, 91.0), (0.26, 87.0)],
        "base-net, one width": [(0.47, 89.5), (0.13, 84.0)],
        "skipping alone, 8 bits": [(1.0, 91.0), (0.47, 89.5)],
    }


def test_the_picture_names_every_line_and_is_the_same_every_time(tmp_path: Path) -> None:
    source = write(tmp_path / "a.json")
    main(tmp_path / "one.svg", [source])
    main(tmp_path / "two.svg", [source])
    text = (tmp_path / "one.svg").read_text()
    assert text == (tmp_path / "two.svg").read_text()
    for name in ("gates, {8, 4, 0}", "best static mode", "base-net, one width", "accuracy on the test set"):
        assert name in text


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(DimmerError, match="is no history of gates"):
        lines_of([tmp_path / "a.json"])
