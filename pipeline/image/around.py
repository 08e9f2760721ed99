# SPDX-License-Identifier: Apache-2.0
"""What stands around a recipe's network on a device, as it was converted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.artifacts.converted import converted_folder, mode_sources
from dimmer.pipeline.image.meaning import row_codes_of
from dimmer.pipeline.recipe.front_end import Surroundings, surroundings

if TYPE_CHECKING:
    from dimmer.pipeline.recipe.recipe import Recipe


def surroundings_of(recipe: Recipe, build: Path) -> Surroundings | None:
    """Front end, detector and gate of [features]; None without any.

    Raises:
        DimmerError: the model was not converted, or they do not fit it.
    """
    section = recipe.features
    if not section.wanted:
        return None
    # All modes have the same input and output.
    graph = read_tflite(mode_sources(converted_folder(build))[0].path)
    return surroundings(section, graph.tensors[graph.input], graph.tensors[graph.output], row_codes_of(recipe.source))
