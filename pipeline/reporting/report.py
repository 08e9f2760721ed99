# SPDX-License-Identifier: Apache-2.0
"""The report of a build: figures gathered, deliverables put side by side, pages written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.report import ReportData
from dimmer.pipeline.artifacts.trained import settings_note
from dimmer.pipeline.core.noted import note
from dimmer.pipeline.core.stage import StageResult
from dimmer.pipeline.reporting.collect import collect
from dimmer.pipeline.reporting.deliver import publish
from dimmer.pipeline.reporting.materials.document import write_bom
from dimmer.pipeline.reporting.materials.gather import gather
from dimmer.pipeline.reporting.page import write_report


def make_report(context: BuildContext, stages: Sequence[StageResult]) -> ReportData:
    """Gather every figure, write report.json, report.html and the bill of materials, put the deliverables beside."""
    data = collect(context, stages)
    if told := settings_note(context.recipe):
        data = replace(data, notes={**data.notes, "training": told})
    delivered = publish(context)
    pages = write_report(data, context.target_dir)
    bill = write_bom(data, gather(context), context.target_dir)
    note(context.target_dir, (*delivered, *pages, bill))
    return data
