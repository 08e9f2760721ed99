# SPDX-License-Identifier: Apache-2.0
"""The inputs and outputs of a network of several, for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.artifacts.converted import converted_folder, mode_sources
from dimmer.pipeline.artifacts.report import EndFigures, InputFigures, OutputFigures

if TYPE_CHECKING:
    from dimmer.firmware_gen.graph.types import Part
    from dimmer.pipeline.artifacts.build import BuildContext


def input_figures(context: BuildContext) -> tuple[InputFigures, ...]:
    """Of each input, in the recipe's order; nothing of one.

    Raises:
        DimmerError: the model was not converted.
    """
    sections = context.recipe.model.data.inputs
    if not sections:
        return ()
    parts = read_tflite(mode_sources(converted_folder(context.build_dir))[0].path).inputs
    return tuple(
        InputFigures(**vars(_end(part)), channels=section.channels)
        for part, section in zip(parts, sections, strict=True)
    )


def output_figures(context: BuildContext) -> tuple[OutputFigures, ...]:
    """The same of outputs.

    Raises:
        DimmerError: as `input_figures`.
    """
    sections = context.recipe.model.data.outputs
    if not sections:
        return ()
    parts = read_tflite(mode_sources(converted_folder(context.build_dir))[0].path).outputs
    return tuple(
        OutputFigures(
            **vars(_end(part)),
            task=section.task,
            classes=section.classes,
            units=section.units,
            weight=section.weight,
            decides=section.decides,
        )
        for part, section in zip(parts, sections, strict=True)
    )


def _end(part: Part) -> EndFigures:
    tensor = part.tensor
    return EndFigures(tensor.name, tensor.shape, part.offset, float(tensor.q.scale), tensor.q.zero_point)
