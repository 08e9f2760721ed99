"""What to calibrate."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.recipe.sections.network import ModelSection
from dimmer.pipeline.recipe.sections.publishing import CalibrationSection, SelectionSection


@dataclass(frozen=True)
class CalibrationOrder:
    """What of a recipe decides a calibration.

    Attributes:
        name: of the model.
        kept: modes that are published whatever their accuracy: those that the recipe forces, super-net and base-net.
        temperature: of the distillation loss by which the search measures a mode.
        seed: of the choice of training images.
    """

    name: str
    model: ModelSection
    calibration: CalibrationSection
    selection: SelectionSection
    kept: tuple[Mode, ...]
    temperature: float
    seed: int


def order_of(recipe: Recipe) -> CalibrationOrder:
    """The order for a recipe's model."""
    return CalibrationOrder(
        recipe.name,
        recipe.model,
        recipe.calibration,
        recipe.selection,
        tuple(dict.fromkeys((*recipe.forced_modes(), recipe.super_mode(), recipe.base_mode()))),
        recipe.train.temperature,
        recipe.train.seed,
    )
