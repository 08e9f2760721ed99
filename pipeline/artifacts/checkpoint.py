# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: safetensors with one JSON record in the header, written so that a half-written file has no name.

Each is checked whole before it is used: the record holds the SHA-256 of the file with zeros in the sum's place; a file
of the time before that has a line in the SHA256SUMS beside it. Then its values are: finite, variances not negative, and
names, types and shapes those of the module that takes them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.sums import SUMS, listed_sums
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.networks import build

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dimmer.pipeline.networks import Network
    from dimmer.pipeline.recipe.sections.network import ModelSection


# One key, because safetensors writes several in no fixed order, and equal trainings must give equal bytes.
_RECORD = "dimmer"
_SUM = "file_sha256"
_NO_SUM = "0" * 64
# As it stands in the header: JSON within a JSON text.
_WRITTEN_SUM = re.compile(rb'\\"' + _SUM.encode() + rb'\\": \\"([0-9a-f]{64})\\"')
CHECKPOINT = "checkpoint.safetensors"
GATES = "gates.safetensors"


def save_tensors(path: Path, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
    """Write tensors and a JSON record as one safetensors file, atomically.

    Raises:
        DimmerError: a value is not finite, or a variance is negative: the training diverged.
    """
    from safetensors.torch import save

    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    if fault := bad_value(plain):
        raise DimmerError(f"the training diverged, {fault}: {path} is not written; lower its learning rate")
    content = save(plain, {_RECORD: json.dumps({**record, _SUM: _NO_SUM}, sort_keys=True)})
    digest = hashlib.sha256(content).hexdigest().encode()
    match = _WRITTEN_SUM.search(content)
    assert match is not None
    atomic_write(path, content[: match.start(1)] + digest + content[match.end(1) :])


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what ``save_tensors`` wrote.

    Raises:
        DimmerError: the file is missing, damaged, or not one of ours.
    """
    # Not above: the road from a .tflite needs no checkpoint, and does without the package.
    from safetensors import SafetensorError, safe_open

    try:
        content = path.read_bytes()
        _check_sum(path, content)
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
            record: dict[str, Any] = json.loads((file.metadata() or {})[_RECORD])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise DimmerError(f"{path} is not a Dimmer checkpoint ({error}); remove it and train again") from error
    if fault := bad_value(tensors):
        raise DimmerError(f"{path} is of no use, {fault}; remove it and train again")
    record.pop(_SUM, None)
    return tensors, record


def bad_value(tensors: Mapping[str, Tensor]) -> str | None:
    """The first value, in words, that no weight or statistic may have; None where all are well."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            return f"{name} holds {float(tensor[~tensor.isfinite()].flatten()[0])}"
        if name.endswith(("running_var", "/var", "num_batches_tracked")) and (tensor < 0).any():
            return f"{name} is negative"
    return None


def misfit(module: nn.Module, tensors: Mapping[str, Tensor]) -> str | None:
    """The first difference, in words, between a module's state and tensors that it shall take; None where all fit."""
    own = module.state_dict()
    for name, wanted in own.items():
        if name not in tensors:
            return f"it lacks {name}"
        if (found := _kind(tensors[name])) != _kind(wanted):
            return f"{name} is {found}, not {_kind(wanted)}"
    return next((f"it has {name}" for name in tensors if name not in own), None)


def _kind(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')}{list(tensor.shape)}"


def _check_sum(path: Path, content: bytes) -> None:
    """A file that has its sum within and a line in SHA256SUMS keeps to both."""
    listed, match = listed_sums(path.parent).get(path.name), _WRITTEN_SUM.search(content)
    if listed is None and match is None:
        raise ValueError(f"no checksum in it, and no line for it in {SUMS} beside it")
    if listed is not None and hashlib.sha256(content).hexdigest() != listed:
        raise DimmerError(f"{path} is damaged (sha256 differs from {SUMS}); fetch it again, or train again with --ship")
    if match is not None:
        blank = content[: match.start(1)] + _NO_SUM.encode() + content[match.end(1) :]
        if hashlib.sha256(blank).hexdigest().encode() != match[1]:
            raise DimmerError(f"{path} is damaged (sha256 differs from its own); remove it and train again")


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
    return read_into(build(model.family, model.config), checkpoint, recipe)


def read_into(network: Network, checkpoint: Path, recipe: Path) -> Network:
    """As `read_network`, of a network whose weights are replaced."""
    tensors, _ = load_tensors(checkpoint)
    if why := misfit(network, tensors):
        raise DimmerError(f"{checkpoint} holds another network than {recipe} describes ({why}); train again")
    network.load_state_dict(tensors)
    return network.eval()
