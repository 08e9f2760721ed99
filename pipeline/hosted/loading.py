# SPDX-License-Identifier: Apache-2.0
"""From a path to a model that runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.hosted.generated import find_generated
from dimmer.pipeline.hosted.kept import generated_from, library_of
from dimmer.pipeline.hosted.library import Library
from dimmer.pipeline.hosted.model import Model

Name = str | os.PathLike[str]


def load(path: Name | Sequence[Name]) -> Model:
    """A model's C, compiled for this machine.

    Loading it again, also in another program, takes what was compiled before (`$DIMMER_CACHE`, else ~/.cache/dimmer).

    Args:
        path: a build folder (build/<model>, build/<model>/<target>), a folder with dimmer_<model>.c, or an int8
            `.tflite` file; or several `.tflite` files, one mode each, the most expensive first.

    Raises:
        FirmwareGenError: a `.tflite` file cannot be read or run, or they are no modes of one network.
        TargetError: there is no C compiler; the message names its package.
        DimmerError: there is no such model, or what was given is no path.
    """
    try:
        paths = [Path(path)] if isinstance(path, str | os.PathLike) else [Path(name) for name in path]
    except TypeError as error:
        raise DimmerError(f"load was given {path!r}: name a build folder or .tflite files, by paths") from error
    if not paths:
        raise DimmerError("no file was given to load: name a build folder or a .tflite file")
    files = [one for one in paths if one.suffix.lower() == ".tflite" and not one.is_dir()]
    if len(files) < len(paths) > 1:
        other = next(one for one in paths if one not in files)
        raise DimmerError(f"{other} is no .tflite file: give one folder, or .tflite files, one a mode")
    generated = generated_from(files) if files else find_generated(paths[0])
    return Model(
        Library(library_of(generated)),
        generated.shape("INPUT"),
        generated.shape("OUTPUT"),
        generated.parts("INPUT"),
        generated.parts("OUTPUT"),
    )
