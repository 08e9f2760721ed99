# SPDX-License-Identifier: Apache-2.0
"""Which files a path stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.artifacts.converted import RESULT, converted_folder, mode_sources
from dimmer.pipeline.inspection.bills import SUFFIX, beside, inspect_bill
from dimmer.pipeline.inspection.bundles import inspect_bundle, is_bundle
from dimmer.pipeline.inspection.checkpoint import inspect_checkpoint
from dimmer.pipeline.inspection.facts import FileFacts, Inspection, ModelFacts
from dimmer.pipeline.inspection.generated import inspect_header
from dimmer.pipeline.inspection.images import SUFFIXES, inspect_image
from dimmer.pipeline.inspection.slots import Check, inspect_slot_image, is_slot_image
from dimmer.targets import Target

CHECKPOINT = ".safetensors"


_KINDS = (
    "name .tflite or .safetensors files, images (.elf, .bin, .hex, .uf2, .img), a model's header (.h), a bill of "
    "materials (.cdx.json), bundles or build folders"
)


def inspect_paths(paths: Sequence[Path], target: Target, check: Check | None = None) -> Inspection:
    """Everything about some files and build folders.

    Args:
        check: of the signatures of images for slots.

    Raises:
        DimmerError: a file is damaged, or is of no kind that can be told about.
    """
    readers = {path: reader for path in paths if (reader := _other(path, check)) is not None}
    if check is not None and not any(is_slot_image(path) for path in readers):
        raise DimmerError("--public checks images for slots (.img), of which none is named: leave it away")
    named = [path for path in paths if path not in readers]
    sources = [source for path in named if path.suffix != CHECKPOINT for source in model_sources(path)]
    models: tuple[ModelFacts, ...] = ()
    together = None
    if sources:
        # Not above: checkpoints need neither the generator nor the schema.
        from dimmer.pipeline.inspection.tflite import inspect_model, inspect_modes

        models = tuple(inspect_model(source, target) for source in sources)
        if len(sources) > 1 and not any(model.all_refusals for model in models):
            together = inspect_modes(sources, target)
    checkpoints = tuple(inspect_checkpoint(path) for path in named if path.suffix == CHECKPOINT)
    return Inspection(models, together, checkpoints, tuple(reader(path) for path, reader in readers.items()))


def _other(path: Path, check: Check | None) -> Callable[[Path], FileFacts] | None:
    """What tells about a file that is neither a model nor a checkpoint."""
    if is_bundle(path):
        return inspect_bundle
    if path.name.endswith(SUFFIX):
        return inspect_bill
    if path.suffix == ".h":
        return inspect_header
    if is_slot_image(path):
        return partial(inspect_slot_image, check=check)
    if path.suffix in SUFFIXES or path.name == "dimmer-run":
        return _checked_image
    return None


def _checked_image(path: Path) -> FileFacts:
    found = inspect_image(path)
    facts, problems = beside(path)
    return replace(found, facts=(*found.facts, *facts), problems=(*found.problems, *problems))


def model_sources(path: Path) -> list[ModeSource]:
    """The modes of a build folder (build/<model>, or a folder in it), or a `.tflite` file as a mode.

    Raises:
        DimmerError: it is neither.
    """
    if not path.is_dir():
        if path.exists() and path.suffix != ".tflite":
            raise DimmerError(f"{path}: {_KINDS}")
        return [ModeSource(path.stem, path)]
    whole = path.absolute()
    for folder in (path, converted_folder(path), converted_folder(whole.parent), converted_folder(whole.parent.parent)):
        if (folder / RESULT).is_file():
            return mode_sources(folder)
    raise DimmerError(
        f"{path} has no converted modes (convert/{RESULT}): give build/<model> after 'dimmer convert', or .tflite files"
    )
