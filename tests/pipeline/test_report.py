# SPDX-License-Identifier: Apache-2.0
"""The command that draws a report's plot for the README."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import report
from dimmer.pipeline.reporting.page import write_report
from tests.pipeline.reporting.report_example import PUBLISHED, example


def test_the_plot_of_a_report_names_its_modes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_report(example(), tmp_path)
    report.main(tmp_path / "report.json", tmp_path / "pareto.svg")
    text = (tmp_path / "pareto.svg").read_text()
    assert all(name in text for name in PUBLISHED)
    assert capsys.readouterr().out == f"{tmp_path / 'pareto.svg'}\n"


def test_without_a_report_the_error_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match="run build-target first"):
        report.main(tmp_path / "report.json", tmp_path / "pareto.svg")
