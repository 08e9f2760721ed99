# SPDX-License-Identifier: Apache-2.0
"""Every mode on the whole test set, by the C engine on the host and in float: the same for every target."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.calibration import Statistics, calibration_folder
from dimmer.pipeline.artifacts.verification import ModeAccuracy
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.data.dataset import Dataset, Split
from dimmer.pipeline.data.encoding import to_input, to_int8
from dimmer.pipeline.data.given_back import limit_of
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.image.records import Record, run_schedules
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks import Network
from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.networks.deployed import DeployedNetwork
from dimmer.pipeline.networks.measure import Measured, measure
from dimmer.pipeline.networks.tasks import right
from dimmer.pipeline.verification.backends import HOST, Subjects, find_subjects
from dimmer.pipeline.verification.order import VerifyOrder
from dimmer.pipeline.verification.scoring import scores_of
from dimmer.targets import load_target


def measure_accuracies(order: VerifyOrder, build: Path, out: Path, progress: Progress) -> None:
    """Writes a file for each mode of the host's firmware into `out`; those that are there already stay as they are.

    Args:
        build: ``build/<model>``, where the firmware lies.
    """
    subjects = find_subjects(build, load_target(HOST))
    data = load_dataset(order.dataset)
    test, statistics = data.test, Statistics.load(calibration_folder(build))
    for number, source in enumerate(subjects.sources):
        progress(f"test accuracy of {source.name}", number / len(subjects.sources))
        if _is_there(out, source.name):
            continue
        outputs = outputs_on_host(subjects, number, test)
        limit = None
        if test.labels.dtype == np.int8:
            limit = limit_of(outputs_on_host(subjects, number, data.val), data.val.labels)
        ModeAccuracy(
            name=source.name,
            accuracy=float(right(outputs, test.labels, limit).mean()),
            accuracy_float=accuracy_in_float(order.network, source.name, statistics, data),
            scores=scores_of(order.dataset, outputs, test.labels, data.classes, limit),
        ).save(out)


def _is_there(out: Path, mode: str) -> bool:
    """Whether an interrupted run had come so far."""
    try:
        ModeAccuracy.load(out, mode)
    except DimmerError:
        return False
    return True


def outputs_on_host(subjects: Subjects, mode: int, test: Split) -> NDArray[np.float64]:
    """What the C runtime on this machine makes of a split in a mode, by its number: float64[N,outputs], dequantised."""
    host, images = subjects.host, to_int8(test.images)
    records = [Record((mode,) * subjects.positions, image) for image in range(len(test))]
    ran = run_schedules(host.target, host.elf, host.ids, records, images, subjects.output_bytes)
    found: NDArray[np.float64] = subjects.output_scale * (ran.outputs.astype(np.float64) - subjects.output_zero_point)
    return found


def accuracy_in_float(network: Network, mode: str, statistics: Statistics, data: Dataset) -> float:
    """The same of the mode before quantisation, 0..1; the limit of anomalies is validation's, as of the codes."""
    deployed, limit = deploy(network, Mode.parse(mode), statistics.of(mode)), None
    if data.test.labels.dtype == np.int8:
        limit = _in_float(deployed, data.val).limit
    return _in_float(deployed, data.test, limit).accuracy


def _in_float(deployed: DeployedNetwork, split: Split, limit: float | None = None) -> Measured:
    return measure(deployed, to_input(split.images), torch.from_numpy(split.labels), limit)
