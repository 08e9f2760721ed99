# SPDX-License-Identifier: Apache-2.0
"""The report of a build: figures gathered, deliverables put side by side, pages written."""

from __future__ import annotations

from collections.abc import Sequence

from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.report import ReportData
from dimmer.pipeline.core.stage import StageResult
from dimmer.pipeline.reporting.collect import collect
from dimmer.pipeline.reporting.deliver import publish
from dimmer.pipeline.reporting.page import write_report


def make_report(context: BuildContext, stages: Sequence[StageResult]) -> ReportData:
    """Gather every figure, write report.json and report.html, put the deliverables into the target's folder."""
    data = collect(context, stages)
    publish(context)
    write_report(data, context.target_dir)
    return data
