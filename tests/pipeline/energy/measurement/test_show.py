# SPDX-License-Identifier: Apache-2.0
"""What is printed of a measurement."""

from __future__ import annotations

import pytest

from dimmer.pipeline.energy.measurement.result import Measured, Spread
from dimmer.pipeline.energy.measurement.show import show_measured
from dimmer.targets.power.constants import Constant

MEASURED = Measured(50, 25, Spread(0.25, 0.0025), Spread(5000, 50), Spread(15_000, 150), 3000, None)


def test_figures_constants_and_the_clock_that_they_are_of(capsys: pytest.CaptureFixture[str]) -> None:
    constants = {"cycle_pc": Constant(250, 2.5, "measured")}
    show_measured("trace.csv", MEASURED, constants, 120)
    said = capsys.readouterr().out
    assert "250 ms" in said
    assert "1.00%" in said
    assert "50 inferences in 25 stretches, 3 V, 20 mA" in said
    assert "between two" not in said
    assert "measured at" not in said
    show_measured("trace.csv", MEASURED, {**constants, "clock_mhz": Constant(4, 0.04, "measured")}, 120)
    assert "measured at 4 MHz: with these constants reports tell time and energy at that clock, not at 120 MHz; " in (
        capsys.readouterr().out
    )
