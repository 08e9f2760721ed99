# SPDX-License-Identifier: Apache-2.0
"""`.tflite` files that came alone, on their way to a firmware with its report."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from dimmer import children
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import Json, Stage
from dimmer.pipeline.core.targets import target_files, tool_versions
from dimmer.pipeline.image.make import make
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.reporting.collect_foreign import collect_foreign
from dimmer.pipeline.reporting.materials.document import write_bom
from dimmer.pipeline.reporting.materials.gather import gather_foreign
from dimmer.pipeline.reporting.page import SCHEMA, TEMPLATES, write_report
from dimmer.targets import Target


def foreign_stage(order: Order, files: Sequence[Path], target: Target, folder: Path, progress: Progress) -> Stage:
    """The stage of `.tflite` files from anywhere -> a firmware in `folder`, with its report.json and report.html."""

    def action(out: Path) -> None:
        figures = make(order, target, out, progress)
        with children.scratch() as plots:
            data = collect_foreign(figures, target, order.quantised)
            write_report(data, out, plots)
        write_bom(data, gather_foreign(files, target, out), out)

    settings: dict[str, Json] = {"model": order.name, "target": target.name, "scratch_limit": target.scratch_limit}
    settings["samples"] = order.samples
    settings["reference"] = order.modes[0].reference.value
    if order.quantised is not None:
        settings["given"] = hashlib.sha256(order.given).hexdigest()
        settings["quantised"] = asdict(order.quantised)
    read = (*target_files(target), TEMPLATES, SCHEMA)
    return Stage("firmware", folder, action, settings=settings, files=read, contents=tool_versions(target), given=files)
