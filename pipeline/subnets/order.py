# SPDX-License-Identifier: Apache-2.0
"""What to calibrate."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.pipeline.data.registry import Source
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.recipe.sections.publishing import CalibrationSection, SelectionSection


@dataclass(frozen=True)
class CalibrationOrder:
    """What of a recipe decides a calibration.

    Attributes:
        name: of the model.
        forced: modes that are published whatever their accuracy, besides super-net and base-net.
        temperature: of the distillation loss by which the search measures a mode.
        seed: of the choice of training images.
    """

    name: str
    dataset: Source
    calibration: CalibrationSection
    selection: SelectionSection
    forced: tuple[Mode, ...]
    temperature: float
    seed: int


def order_of(recipe: Recipe) -> CalibrationOrder:
    """The order for a recipe's model."""
    return CalibrationOrder(
        recipe.name,
        recipe.source,
        recipe.calibration,
        recipe.selection,
        recipe.forced_modes(),
        recipe.train.temperature,
        recipe.train.seed,
    )
