# SPDX-License-Identifier: Apache-2.0
"""Results as a file, a table and a picture."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from dimmer.pipeline.verification.simulation.bars import bars_of
from dimmer.pipeline.verification.simulation.results import bars_table, picture, table_of, write_results
from tests.pipeline.verification.simulation.test_summary import example


def test_files_and_tables(tmp_path: Path) -> None:
    summary = example()
    bars = bars_of([summary])
    write_results(tmp_path, [summary], bars, "take one mode")
    content = json.loads((tmp_path / "results.json").read_text())
    assert content["scenarios"][0]["best_fixed"] == "fixed bright"
    assert [bar["holds"] for bar in content["bars"]] == [True, False, True]
    assert (tmp_path / "results.svg").read_text() == picture([summary])
    console = Console(width=200, record=True, file=(tmp_path / "out").open("w"))
    console.print(table_of(summary), bars_table(bars))
    said = console.export_text()
    assert "fixed bright (best)" in said
    assert "oracle 100.00 ± 0.00, by what it has more of 2 of them" in said
    assert "under oracle" in said
    assert "MISSED" in said
