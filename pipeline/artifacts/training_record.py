# SPDX-License-Identifier: Apache-2.0
"""What a training writes beside its weights: one record in the checkpoint's header, and the same in `history.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import load_tensors
from dimmer.pipeline.core.documents import from_json
from dimmer.pipeline.core.stage import Json

if TYPE_CHECKING:
    from torch import Tensor


STATE = "state.safetensors"
"""What a training that is under way leaves after each epoch, in the folder of the checkpoint to come."""


@dataclass(frozen=True)
class RunId:
    """What a training is known by; one with another is another training.

    Attributes:
        model: its name.
        alone: "super" or "base" for a plain network of that depth.
        training: hash of the sections that a checkpoint depends on.
        data: hash of the data set's contents; empty where it is not known.
    """

    model: str
    alone: str | None
    training: str
    data: str = ""

    def to_json(self) -> dict[str, Json]:
        """As it is written; without `data` where that is not known."""
        found: dict[str, Json] = asdict(self)
        if not self.data:
            del found["data"]
        return found


@dataclass(frozen=True)
class Accuracy:
    """Percent of the images that a mode gets right.

    Attributes:
        val: of the validation images.
        test: of the test images.
    """

    val: float
    test: float


@dataclass(frozen=True)
class TrainingRecord:
    """A finished training.

    Attributes:
        run: what it is known by.
        seed: of weights, order and augmentation.
        epochs: of the float training.
        torch: version, or versions where parts were trained with others.
        devices: "cpu", or the names of GPUs, in the order in which they trained.
        accuracy: "super", "base", "super-4" and so on -> the network's.
    """

    run: RunId
    seed: int
    epochs: int
    torch: str
    devices: tuple[str, ...]
    accuracy: Mapping[str, Accuracy]

    def to_json(self) -> dict[str, Json]:
        """As it is written."""
        found: dict[str, Json] = asdict(self)
        return found | {"run": self.run.to_json()}

    @staticmethod
    def of(record: object) -> TrainingRecord:
        """Read back what ``to_json`` gave.

        Raises:
            ValueError: it is something else.
        """
        return from_json(TrainingRecord, record)


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], TrainingRecord]:
    """The weights and the record of a finished training.

    Raises:
        DimmerError: the file is missing, damaged, or holds something else.
    """
    tensors, record = load_tensors(path)
    try:
        return tensors, TrainingRecord.of(record)
    except ValueError as error:
        raise DimmerError(f"{path} is no checkpoint of a finished training; name one, or train again") from error


def is_finished(path: Path, run: Mapping[str, Json]) -> bool:
    """Whether a file is what this training ended with.

    Raises:
        DimmerError: it is damaged.
    """
    return path.is_file() and load_tensors(path)[1].get("run") == run
