# SPDX-License-Identifier: Apache-2.0
"""A trained network calibrated: norms, ranges, accuracies, verdicts."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dimmer import processes
from dimmer.calibration.selection import Verdict
from dimmer.pipeline.artifacts.calibration import CalibratedMode, Calibration, RangeGroup, SiteFigures, Statistics
from dimmer.pipeline.core.progress import Progress, part
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.modes.mode import NetworkCost
from dimmer.pipeline.networks import Network
from dimmer.pipeline.subnets.accuracies import Quantised, measure_quantised
from dimmer.pipeline.subnets.candidates import candidate_modes
from dimmer.pipeline.subnets.images import calibration_images
from dimmer.pipeline.subnets.norms import Subnet, choose_norms
from dimmer.pipeline.subnets.order import CalibrationOrder
from dimmer.pipeline.subnets.ranges import Ranges, choose_ranges
from dimmer.pipeline.subnets.verdicts import judge


def calibrate(order: CalibrationOrder, network: Network, out: Path, progress: Progress) -> None:
    """Writes `calibration.json` and `statistics.safetensors` into `out`."""
    with processes.once_a_machine():
        data = load_dataset(order.dataset)
    images = calibration_images(data, order.calibration, order.selection, order.seed)
    modes = processes.agreed(
        lambda: candidate_modes(
            network,
            order.forced,
            order.selection,
            order.temperature,
            images.search,
            lambda share: progress("search over widths", 0.1 * share),
            images.norms if order.calibration.recalibrate_bn else None,
        )
    )
    subnets = choose_norms(network, modes, order.calibration, images, part(progress, 0.1, 0.3))
    ranges = choose_ranges(subnets, order.calibration, images, part(progress, 0.3, 0.8))
    quantised = measure_quantised(subnets, ranges, images, part(progress, 0.8, 1.0))
    if not processes.is_first():
        return
    cost, kept = network.cost(), {*order.forced, network.super_mode(), network.base_mode()}
    verdicts = judge(modes, quantised, cost, kept, order.selection.limit)
    entries = zip(subnets, quantised, verdicts, strict=True)
    Statistics({subnet.name: subnet.statistics for subnet in subnets if subnet.statistics}).save(out)
    Calibration(
        model=order.name,
        validation_images=len(images.labels),
        modes=tuple(
            _mode(subnet, ranges, found, verdict, cost, kept=subnet.mode in kept) for subnet, found, verdict in entries
        ),
        groups=_groups(ranges),
    ).save(out)


def _mode(
    subnet: Subnet, ranges: Ranges, quantised: Quantised, verdict: Verdict, cost: NetworkCost, *, kept: bool
) -> CalibratedMode:
    groups = ranges.groups(subnet.name)
    return CalibratedMode(
        name=subnet.name,
        macs=subnet.mode.macs(cost),
        bit_operations=subnet.mode.bit_operations(cost),
        recalibrated=bool(subnet.statistics),
        accuracy_as_trained=subnet.as_trained.accuracy,
        accuracy_float=subnet.measured.accuracy,
        accuracy=quantised.measured.accuracy,
        loss=quantised.measured.loss,
        published=verdict.published,
        kept=kept,
        dominated_by=verdict.dominated_by,
        reason=verdict.reason,
        sites={
            site: SiteFigures(groups[site], round(error.sqnr_db, 2), error.clipped)
            for site, error in quantised.errors.items()
        },
        right=np.packbits(quantised.measured.correct).tobytes().hex(),
    )


def _groups(ranges: Ranges) -> dict[str, RangeGroup]:
    return {
        group: RangeGroup(
            low=choice.range.low,
            high=choice.range.high,
            method=choice.method,
            logit_error=dict(choice.errors),
            modes=tuple(sorted({name for name, _ in choice.members})),
        )
        for group, choice in ranges.choices.items()
    }
