# SPDX-License-Identifier: Apache-2.0
"""What stands around a recipe's network: for the report, and as C beside the model's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dimmer.pipeline.artifacts.report import FeatureFigures
from dimmer.pipeline.image.around import surroundings_of

if TYPE_CHECKING:
    from dimmer.pipeline.artifacts.build import BuildContext


def feature_figures(context: BuildContext) -> FeatureFigures | None:
    """What the recipe's features take; None without any."""
    around = surroundings_of(context.recipe, context.build_dir)
    if around is None:
        return None
    return FeatureFigures(
        around.kind, around.ram, around.flash, around.detector is not None, around.activity is not None
    )


def feature_texts(context: BuildContext) -> dict[str, str]:
    """File -> C of the recipe's features; nothing without any."""
    around = surroundings_of(context.recipe, context.build_dir)
    return {} if around is None else around.files(context.recipe.name)
