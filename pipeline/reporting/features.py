# SPDX-License-Identifier: Apache-2.0
"""What stands around a recipe's network: for the report, and as C beside the model's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.artifacts.converted import converted_folder, mode_sources
from dimmer.pipeline.artifacts.report import FeatureFigures
from dimmer.pipeline.recipe.front_end import Surroundings, surroundings

if TYPE_CHECKING:
    from dimmer.pipeline.artifacts.build import BuildContext


def feature_figures(context: BuildContext) -> FeatureFigures | None:
    """What the recipe's features take; None without any."""
    around = _around(context)
    if around is None:
        return None
    return FeatureFigures(
        around.kind, around.ram, around.flash, around.detector is not None, around.activity is not None
    )


def feature_texts(context: BuildContext) -> dict[str, str]:
    """File -> C of the recipe's features; nothing without any."""
    around = _around(context)
    return {} if around is None else around.files(context.recipe.name)


def _around(context: BuildContext) -> Surroundings | None:
    section = context.recipe.features
    if not section.wanted:
        return None
    # All modes have the same input and output.
    graph = read_tflite(mode_sources(converted_folder(context.build_dir))[0].path)
    return surroundings(section, graph.tensors[graph.input], graph.tensors[graph.output])
