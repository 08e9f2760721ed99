# SPDX-License-Identifier: Apache-2.0
"""The report's plots."""

from dimmer.pipeline.reporting import plots as report_plots


def test_mode_colours_run_from_one_end_of_the_ramp_to_the_other() -> None:
    ramp = report_plots.LIGHT_RAMP
    assert report_plots.mode_colours(4, ramp) == list(ramp)
    assert report_plots.mode_colours(1, ramp) == [ramp[0]]
    assert report_plots.mode_colours(2, ramp) == [ramp[0], ramp[-1]]
