# SPDX-License-Identifier: Apache-2.0
"""Calibration on the terminal."""

import pytest

from dimmer.pipeline.artifacts.calibration import Calibration, calibration_folder
from dimmer.pipeline.subnets.tables import print_tables
from tests.tiny import TinyBuild

pytestmark = pytest.mark.xdist_group("tiny")


def test_tables_are_printed(tiny: TinyBuild, capsys: pytest.CaptureFixture[str]) -> None:
    print_tables(Calibration.load(calibration_folder(tiny.build)))
    text = capsys.readouterr().out
    assert "stream.1" in text
    assert "published" in text
