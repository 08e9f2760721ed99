"""Checkpoints: safetensors with one JSON record in the header, written so that a half-written file has no name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.networks import build

if TYPE_CHECKING:
    from torch import Tensor

    from dimmer.pipeline.networks import Network
    from dimmer.pipeline.recipe.sections.network import ModelSection


# One key, because safetensors writes several in no fixed order, and equal trainings must give equal bytes.
_RECORD = "dimmer"
GATES = "gates.safetensors"


def save_tensors(path: Path, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
    """Write tensors and a JSON record as one safetensors file, atomically."""
    from safetensors.torch import save

    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    atomic_write(path, save(plain, {_RECORD: json.dumps(record, sort_keys=True)}))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what ``save_tensors`` wrote.

    Raises:
        DimmerError: the file is missing, damaged, or not one of ours.
    """
    # Not above: the road from a .tflite needs no checkpoint, and does without the package.
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
            record: dict[str, Any] = json.loads((file.metadata() or {})[_RECORD])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise DimmerError(f"{path} is not a Dimmer checkpoint ({error}); remove it and train again") from error
    return tensors, record


def training_folder(build: Path, alone: str | None = None) -> Path:
    """Where a training writes, under ``build/<model>``: train, train-alone-super or train-alone-base."""
    return build / ("train" if alone is None else f"train-alone-{alone}")


def teacher_folder(out: Path) -> Path:
    """Where the teacher of a training in the folder ``out`` is trained: beside it, for all trainings there."""
    return out.parent / "train-teacher"


def gates_folder(build: Path) -> Path:
    """Where the training of the gates writes, under ``build/<model>``."""
    return build / "gates"


def read_network(model: ModelSection, checkpoint: Path, recipe: Path) -> Network:
    """The adaptive network in a checkpoint, in eval mode on the CPU.

    Args:
        model: of the recipe.
        checkpoint: the file.
        recipe: the recipe's file, for errors.

    Raises:
        DimmerError: it is missing, damaged, or of another network.
    """
    tensors, _ = load_tensors(checkpoint)
    network = build(model.family, model.config)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise DimmerError(f"{checkpoint} holds another network than {recipe} describes; train again") from error
    return network.eval()
