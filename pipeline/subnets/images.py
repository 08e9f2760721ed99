# SPDX-License-Identifier: Apache-2.0
"""Which images each step of a calibration looks at."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dimmer.pipeline.data.dataset import Dataset
from dimmer.pipeline.data.encoding import to_input
from dimmer.pipeline.recipe.sections.publishing import CalibrationSection, SelectionSection

BATCH = 128

PROBE_IMAGES = 64


@dataclass(frozen=True, eq=False)
class CalibrationImages:
    """Training images, shuffled, but for those of validation.

    Attributes:
        observed: batches float32[N,C,H,W] whose activations give the ranges.
        probe: batches float32[N,C,H,W], others than `observed`, on which the estimators' proposals are compared.
        norms: float32[N,C,H,W], to measure norm statistics on.
        search: float32[N,C,H,W], for the search over mixed widths; the last of the shuffled ones.
        validation: float32[N,C,H,W].
        labels: int64[N], of the validation images.
    """

    observed: tuple[Tensor, ...]
    probe: tuple[Tensor, ...]
    norms: Tensor
    search: Tensor
    validation: Tensor
    labels: Tensor


def calibration_images(
    data: Dataset, calibration: CalibrationSection, selection: SelectionSection, seed: int
) -> CalibrationImages:
    """Draws them from a data set; the same ones for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(data.train), generator=generator).numpy()
    # Of few images a part stays for the comparison.
    count = min(calibration.images, max(1, len(order) - min(PROBE_IMAGES, len(order) // 4)))
    return CalibrationImages(
        observed=to_input(data.train.images[order[:count]]).split(BATCH),
        probe=to_input(data.train.images[order[count:][:PROBE_IMAGES]]).split(BATCH),
        norms=to_input(data.train.images[order[: calibration.bn_images]]),
        search=to_input(data.train.images[order[-selection.images :]]),
        validation=to_input(data.val.images),
        labels=torch.from_numpy(data.val.labels),
    )
