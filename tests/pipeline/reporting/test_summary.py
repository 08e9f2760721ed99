# SPDX-License-Identifier: Apache-2.0
"""The end of a build on the terminal."""

import io
from dataclasses import replace

from rich.console import Console

from dimmer.pipeline.artifacts.firmware import Verification
from dimmer.pipeline.artifacts.report import ReportData
from dimmer.pipeline.reporting.summary import print_summary
from tests.pipeline.reporting.report_example import PUBLISHED, example


def summary(data: ReportData) -> str:
    file = io.StringIO()
    print_summary(data, Console(file=file, width=120))
    return file.getvalue()


def test_summary_names_every_mode() -> None:
    text = summary(example())
    for name in PUBLISHED:
        assert name in text
    assert "100 bit-exact" in text
    assert "194.3 KiB" in text


def test_mismatches_are_told_loudly() -> None:
    bad = replace(example().modes[0], verify=Verification(100, 3, "QEMU"))
    assert "3 of 100 differ" in summary(replace(example(), modes=(bad, *example().modes[1:])))
