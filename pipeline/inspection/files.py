# SPDX-License-Identifier: Apache-2.0
"""Which files a path stands for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.artifacts.converted import RESULT, converted_folder, mode_sources
from dimmer.pipeline.inspection.checkpoint import inspect_checkpoint
from dimmer.pipeline.inspection.facts import Inspection, ModelFacts
from dimmer.targets import Target

CHECKPOINT = ".safetensors"


def inspect_paths(paths: Sequence[Path], target: Target) -> Inspection:
    """Everything about some files and build folders.

    Raises:
        DimmerError: a file is damaged, or is of no kind that can be told about.
    """
    sources = [source for path in paths if path.suffix != CHECKPOINT for source in model_sources(path)]
    models: tuple[ModelFacts, ...] = ()
    together = None
    if sources:
        # Not above: checkpoints need neither the generator nor the schema.
        from dimmer.pipeline.inspection.tflite import inspect_model, inspect_modes

        models = tuple(inspect_model(source, target) for source in sources)
        if len(sources) > 1 and not any(model.all_refusals for model in models):
            together = inspect_modes(sources, target)
    return Inspection(models, together, tuple(inspect_checkpoint(path) for path in paths if path.suffix == CHECKPOINT))


def model_sources(path: Path) -> list[ModeSource]:
    """The modes of a build folder (build/<model>, or a folder in it), or a `.tflite` file as a mode.

    Raises:
        DimmerError: it is neither.
    """
    if not path.is_dir():
        if path.exists() and path.suffix != ".tflite":
            raise DimmerError(f"{path}: name .tflite files, .safetensors files or build folders")
        return [ModeSource(path.stem, path)]
    whole = path.absolute()
    for folder in (path, converted_folder(path), converted_folder(whole.parent), converted_folder(whole.parent.parent)):
        if (folder / RESULT).is_file():
            return mode_sources(folder)
    raise DimmerError(
        f"{path} has no converted modes (convert/{RESULT}): give build/<model> after 'dimmer convert', or .tflite files"
    )
