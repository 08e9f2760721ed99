# SPDX-License-Identifier: Apache-2.0
"""What somebody asked for, as an order: of a recipe's converted model, or of any `.tflite` files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dimmer.firmware_gen.variants.cores import Kind, kind_of
from dimmer.pipeline.artifacts.calibration import Calibration, calibration_folder
from dimmer.pipeline.artifacts.converted import converted_folder
from dimmer.pipeline.bundles.packaging.source import PackageOrder
from dimmer.pipeline.image.meaning import encoding_of, meaning_of, row_codes_of
from dimmer.pipeline.image.menu import check_needs_no_figures, ids, menu_of
from dimmer.pipeline.image.order import converted_order, foreign_order
from dimmer.pipeline.image.policy import recipe_policy
from dimmer.pipeline.recipe.recipe import Recipe


def kinds_of(cores: Sequence[str]) -> tuple[Kind, ...]:
    """The kinds of these cores, each once.

    Raises:
        FirmwareGenError: one is not known.
    """
    return tuple(dict.fromkeys(kind_of(core) for core in cores))


def foreign_package(files: Sequence[Path], kinds: tuple[Kind, ...]) -> PackageOrder:
    """Of `.tflite` files from anywhere, one mode each.

    Raises:
        FirmwareGenError, DimmerError: a file cannot be read.
    """
    return PackageOrder(foreign_order(files), kinds)


def recipe_package(recipe: Recipe, build: Path, kinds: tuple[Kind, ...]) -> PackageOrder:
    """Of every published mode of a recipe's model, with its policy, its gates and a test image as known input.

    A governor's plan depends on a target's energy, and is left out.

    Raises:
        DimmerError: the model was not converted.
    """
    from dimmer.pipeline.data.encoding import to_int8
    from dimmer.pipeline.data.registry import load_dataset

    order = converted_order(recipe.name, converted_folder(build), None, b"")
    data = load_dataset(recipe.source)
    image = to_int8(data.test.images[:1]).tobytes()
    if recipe.gates.epochs:
        from dimmer.pipeline.artifacts.gates import recipe_gates

        order = replace(order, gates=recipe_gates(recipe))
    check_needs_no_figures(recipe.policy, "what a mode of a package takes depends on the board")
    modes = [mode.name for mode in order.modes]
    calibration = Calibration.load(calibration_folder(build))
    # No core tells what a mode costs: tables are for several.
    menu = menu_of({mode: calibration.mode(mode).bit_operations for mode in modes}, calibration)
    policy = recipe_policy(recipe.policy, ids(menu, modes), knee=modes.index(menu.knee))
    return PackageOrder(
        replace(order, policy=policy, known_input=image, meaning=meaning_of(recipe.source, order.modes)),
        kinds,
        classes=data.outputs,
        features=recipe.features,
        rows=row_codes_of(recipe.source),
        encoding=encoding_of(recipe.source, data.image_shape),
    )
