# SPDX-License-Identifier: Apache-2.0
"""A build that lies there, found by what it was made of: a recipe, or what the firmware command was given."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.names import check_name
from dimmer.pipeline.artifacts.context import build_folder, builds, given_folder
from dimmer.pipeline.artifacts.places import built_elf
from dimmer.pipeline.core.contents import content_hash
from dimmer.pipeline.core.made import made_of
from dimmer.pipeline.image.order import name_of_files
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.targets import Target


@dataclass(frozen=True)
class Built:
    """A build for a target.

    Attributes:
        folder: build/<name>.
        words: of the command that makes it.
        files: that it is made of; empty for a recipe.
    """

    folder: Path
    words: tuple[str, ...]
    files: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """Of the model."""
        return self.folder.name

    @property
    def command(self) -> str:
        """What makes it, to be typed.

        Raises:
            FirmwareGenError: a file is damaged.
        """
        data = " --calibration DATA (an .npz, an .npy or a folder of samples)"
        return shlex.join(self.words) + (data if self.files and _needs_data(self.files[0]) else "")


def find_build(
    target: str, model: str, files: Sequence[Path] | None, name: str | None = None, signature: str | None = None
) -> Built:
    """Where the build of a recipe's model lies, or that of files, whether it is there or not.

    Args:
        target: as it was typed.
        model: as it was typed.
        files: as the firmware command was given them; none for a recipe.
        name: as the firmware command was given it.
        signature: as the firmware command was given it.

    Raises:
        DimmerError: a name or a signature without files, a name that the firmware command refuses, or no such recipe.
    """
    refuse_without_files(files, name=name, signature=signature)
    if not files:
        return Built(build_folder(load_recipe(model)), ("dimmer", "build", "--target", target, "--model", model))
    called = name_of_files([_chosen(path, signature) for path in files]) if name is None else check_name(name)
    words = ["dimmer", "firmware", "--target", target, *(word for path in files for word in ("--tflite", str(path)))]
    for option, value in {"name": name, "signature": signature}.items():
        words += [] if value is None else [f"--{option}", value]
    return Built(builds() / called, tuple(words), tuple(files))


def refuse_without_files(files: Sequence[Path] | None, **options: object) -> None:
    """Refuses options that are for files alone, where a recipe's model is meant.

    Raises:
        DimmerError: one is given, and no file.
    """
    for option, value in options.items():
        if value is not None and not files:
            raise DimmerError(f"--{option} goes with --tflite; leave it out for the model of a recipe")


def refuse_files(
    why: str, files: Sequence[Path] | None, name: str | None, signature: str | None, elf: Path | None = None
) -> None:
    """Refuses what names files, where nothing would heed it.

    Args:
        why: nothing would.

    Raises:
        DimmerError: something is named.
    """
    given = {"tflite": files, "name": name, "signature": signature, "elf": elf}
    if option := next((option for option, value in given.items() if value), None):
        raise DimmerError(f"{why}: leave --{option} out")


def int8_files(build: Built, signature: str | None) -> tuple[Path, ...]:
    """The files that the firmware command made the modes of a build of: of one signature alone, and quantised; none of
    a recipe.

    Raises:
        DimmerError: a float network was not quantised, or is another one by now, or a file has no such signature.
    """
    from dimmer.pipeline.artifacts.quantised import RESULT, Quantised
    from dimmer.pipeline.conversion.signatures import with_signature
    from dimmer.pipeline.projects.quantised import files_of, quantise_folder

    given = given_folder()
    files = tuple(path if signature is None else with_signature(path, signature, given) for path in build.files)
    if not files or not _needs_data(files[0]):
        return files
    folder = quantise_folder(given, build.name)
    if not (folder / RESULT).is_file():
        raise DimmerError(f"{build.files[0]} was not quantised: type {build.command}")
    found, parts = made_of(folder), _hashes(files_of(files[0]))
    if found is None or found.inputs[: len(parts)] != parts:
        raise DimmerError(f"{folder} was quantised from another file than {build.files[0]}: type {build.command}")
    return (folder / Quantised.load(folder).file,)


def check_made_of(build: Built, folder: Path, signature: str | None) -> None:
    """That a firmware was made of what was named: not of another file of this name, nor of a recipe's model for files.

    Args:
        folder: of the firmware.
        signature: as the firmware command was given it.

    Raises:
        DimmerError: it was made of something else, or a file was edited since.
    """
    found = made_of(folder)
    if not build.files:
        if found is not None and not is_of_recipe(folder):
            raise DimmerError(f"{folder} was made of .tflite files, not of {build.name}'s recipe: type {build.command}")
        return
    if missing := next((path for path in build.files if not path.exists()), None):
        raise DimmerError(f"{missing} is not there; check the path")
    if found is None or is_of_recipe(folder) or found.inputs != _hashes(int8_files(build, signature)):
        named = ", ".join(str(path) for path in build.files)
        raise DimmerError(f"{folder} was not made of {named} as it is now: type {build.command}")


def built_program(build: Built, target: Target, signature: str | None) -> Path:
    """The program of a build for a target, which was made of what was named.

    Args:
        signature: as the firmware command was given it.

    Raises:
        DimmerError: it is not there, or as of `check_made_of`.
    """
    program = built_elf(build.folder, target)
    if not program.is_file():
        raise DimmerError(f"there is no {program}: type {build.command}")
    check_made_of(build, program.parent, signature)
    return program


def is_of_recipe(folder: Path) -> bool:
    """Whether a firmware was made of a recipe's model: with its policy. Files alone have none."""
    found = made_of(folder)
    return found is not None and "policy" in found.settings


def refuse_recipe(name: str, folder: Path) -> None:
    """Refuses to replace the firmware of a recipe's model by that of files of the same name.

    Raises:
        DimmerError: in the folder lies such a firmware.
    """
    if is_of_recipe(folder):
        raise DimmerError(
            f"{folder} is the firmware of the recipe {name}, which has the same name: give the files another one with "
            "--name, or another folder with --out"
        )


def _hashes(files: Sequence[Path]) -> tuple[str, ...]:
    """As a stage's key tells them."""
    return tuple(content_hash(path) for path in files)


def _chosen(path: Path, signature: str | None) -> Path:
    """The file of one signature alone, as the firmware command calls it."""
    if signature is None:
        return path
    from dimmer.pipeline.conversion.signatures import stem_with_signature

    return Path(f"{stem_with_signature(path, signature)}.tflite")


def _needs_data(path: Path) -> bool:
    """Whether the generator takes a network only once it is quantised."""
    from dimmer.firmware_gen.read.floats import is_float
    from dimmer.pipeline.conversion.given.kinds import is_other

    return is_other(path) or (path.is_file() and is_float(path))
