# SPDX-License-Identifier: Apache-2.0
"""What conversion leaves: a `.tflite` a mode."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.core.documents import load_document, save_document

RESULT = "modes.json"


def converted_folder(build: Path) -> Path:
    """Where the stage writes, under ``build/<model>``."""
    return build / "convert"


@dataclass(frozen=True)
class ConvertedMode:
    """One mode's file.

    Attributes:
        file: name of the `.tflite` beside modes.json.
        boundaries: tensor that is alive after each position but the last.
    """

    name: str
    file: str
    boundaries: tuple[str, ...]


@dataclass(frozen=True)
class Converted:
    """The content of modes.json.

    Attributes:
        positions: names of every mode's positions: stem, blocks, head.
        modes: in the order of their ids, the most expensive first.
    """

    positions: tuple[str, ...]
    modes: tuple[ConvertedMode, ...]

    def save(self, folder: Path) -> None:
        """Write modes.json."""
        save_document(folder / RESULT, self)

    @classmethod
    def load(cls, folder: Path) -> Converted:
        """Read it.

        Raises:
            DimmerError: it is missing or damaged.
        """
        return load_document(cls, folder / RESULT)


def mode_sources(folder: Path) -> list[ModeSource]:
    """The modes that a conversion left in a folder, in the order of their ids.

    Raises:
        DimmerError: modes.json is missing or damaged.
    """
    return [ModeSource(mode.name, folder / mode.file, mode.boundaries) for mode in Converted.load(folder).modes]
