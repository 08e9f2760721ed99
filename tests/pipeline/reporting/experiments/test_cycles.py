# SPDX-License-Identifier: Apache-2.0
"""Cycles of modes that were not built, from the blocks of those that were."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.reporting.experiments.cycles import read_cycles

BLOCK = {8: 1000, 4: 600, 2: 400}
FIXED, OVERHEAD = 100, 7


def report_of(modes: list[str]) -> dict[str, object]:
    """Two stages of two blocks; in a mode a block costs what its width does, the second stage's twice that."""
    steps, figures = [], []
    for name in modes:
        own = [{"mode": name, "layer": "stem", "cycles": FIXED}]
        for s, stage in enumerate(Mode.parse(name).blocks):
            for b, bits in enumerate(stage):
                for part in ("conv1", "out") if bits else ():
                    own.append({"mode": name, "layer": f"{s}.{b}.{part}", "cycles": (s + 1) * BLOCK[bits] // 2})
        total = sum(int(str(step["cycles"])) for step in own) + OVERHEAD
        figures.append({"name": name, "cycles": total, "instructions": total // 2})
        steps += own
    return {"model": "tiny", "target": "board", "modes": figures, "steps": steps, "gates": {"instructions": 50}}


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report_of(["88.88", "80.80", "44.44", "20.20"])))
    return path


def test_a_mode_is_the_sum_of_its_blocks(report: Path) -> None:
    costs = read_cycles(report, "tiny")
    assert costs.target == "board"
    assert costs.fixed == pytest.approx(FIXED + OVERHEAD)
    assert costs.of(Mode.parse("84.20")) == pytest.approx(FIXED + OVERHEAD + 1000 + 600 + 2 * 400)
    for name, cycles in costs.measured.items():
        assert costs.of(Mode.parse(name)) == cycles
    assert costs.gates == pytest.approx(100, rel=0.01), "two cycles an instruction, as the dearest mode"
    with pytest.raises(DimmerError, match=r"no mode of that build runs block 0\.1 at 2 bits: publish one"):
        costs.of(Mode.parse("22.22"))
    with pytest.raises(DimmerError, match=r"runs block 0\.0 at 48 \(W4A8\) bits: publish one"):
        costs.of(Mode.parse("c8.88"))


def test_what_has_no_cycles_is_refused(report: Path, tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"report\.json is the report of tiny, not of lamp"):
        read_cycles(report, "lamp")
    with pytest.raises(DimmerError, match=r"other\.json is no report\.json of a build"):
        read_cycles(tmp_path / "other.json", "tiny")
    found = json.loads(report.read_text())
    found["modes"][1]["cycles"] = None
    report.write_text(json.dumps(found))
    with pytest.raises(DimmerError, match=r"has no cycles of every mode and step; take a target with \[timing\]"):
        read_cycles(report, "tiny")
