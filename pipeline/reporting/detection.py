# SPDX-License-Identifier: Apache-2.0
"""What `dimmer detect` found of a built model, for the report."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from dimmer.pipeline.artifacts.converted import converted_folder, mode_sources
from dimmer.pipeline.artifacts.detected import RESULT, Detected, detected_folder
from dimmer.pipeline.artifacts.report import DetectionFigures
from dimmer.pipeline.data.own import OwnData

if TYPE_CHECKING:
    from dimmer.pipeline.artifacts.build import BuildContext

NEVER_TUNED = "the detector was not scored on this model: dimmer detect does it"
"""The note of a recipe with a detector and no results."""


def detection_figures(context: BuildContext) -> DetectionFigures | None:
    """Of the model as it was converted; None where nobody asked for them, or what lies there is of another model.

    Raises:
        DimmerError: the results are damaged.
    """
    folder = detected_folder(context.build_dir)
    if not (folder / RESULT).is_file():
        return None
    found = Detected.load(folder)
    files = [one.path for one in mode_sources(converted_folder(context.build_dir)) if one.name == found.mode]
    if not files or hashlib.sha256(files[0].read_bytes()).hexdigest() != found.tflite_sha256:
        return None
    return DetectionFigures(**vars(found), in_recipe=_is_the_recipe_s(context, found))


def _is_the_recipe_s(context: BuildContext, found: Detected) -> bool:
    keys, data = context.recipe.features.detector, context.recipe.source
    if not isinstance(data, OwnData):
        return False
    own = tuple(name for number, name in enumerate(data.section.classes) if number in keys.classes)
    same = (keys.threshold, keys.average, keys.quiet) == (found.threshold, found.average, found.quiet)
    return same and set(own) == set(found.classes)
