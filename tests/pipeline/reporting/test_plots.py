# SPDX-License-Identifier: Apache-2.0
"""The report's plots."""

from dimmer.pipeline.reporting import plots as report_plots


def test_mode_colours_run_from_one_end_of_the_ramp_to_the_other() -> None:
    ramp = report_plots.LIGHT_RAMP
    assert report_plots.mode_colours(4, ramp) == list(ramp)
    assert report_plots.mode_colours(1, ramp) == [ramp[0]]
    assert report_plots.mode_colours(2, ramp) == [ramp[0], ramp[-1]]


def test_differences_have_a_row_each_and_one_seed_no_interval() -> None:
    rows = [report_plots.Spread("one", (0.1, 0.4), -0.2, 0.7), report_plots.Spread("other", (1.0,), None, None)]
    picture = report_plots.spreads(rows, 0.3, "points")
    assert picture == report_plots.spreads(rows, 0.3, "points")
    assert all(f">{text}<" in picture for text in ("one", "other", "points"))
