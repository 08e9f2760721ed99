# SPDX-License-Identifier: Apache-2.0
"""The state of a training: saved after each epoch, taken up again, in the same bits, after an interruption."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import load_tensors, misfit
from dimmer.pipeline.core.documents import from_json
from dimmer.pipeline.core.stage import Json
from dimmer.pipeline.modes.mode import FULL_BITS
from dimmer.pipeline.networks import Network
from dimmer.pipeline.training.trainer import Trainer

_KEPT = {"momentum_buffer": "momentum", "exp_avg": "mean", "exp_avg_sq": "square", "step": "steps"}
"""What an optimizer keeps of a parameter -> how its tensors' names begin in a state."""

T = TypeVar("T")


def load_state(path: Path, run: Mapping[str, Json], line: type[T]) -> tuple[dict[str, Tensor], list[T]] | None:
    """The tensors and the lines of the history so far; None if nothing was saved of this training.

    Args:
        line: the dataclass of a line.

    Raises:
        DimmerError: the file is damaged.
    """
    if not path.is_file():
        return None
    tensors, record = load_tensors(path)
    # A state of other settings is no error: whoever changed the recipe wants a new training.
    if record.get("run") != run:
        return None
    try:
        return tensors, [from_json(line, entry) for entry in record["history"]]
    except (KeyError, TypeError, ValueError) as error:
        raise DimmerError(f"{path} is no state of a training ({error}); remove it and train again") from error


@contextmanager
def other_state_explained(path: Path) -> Iterator[None]:
    """Turns what goes wrong while the state in a file is taken up into a line that names the file.

    Raises:
        DimmerError: it is the state of something else.
    """
    try:
        yield
    except (KeyError, RuntimeError, ValueError) as error:
        raise DimmerError(f"{path} is the state of another network ({error}); remove it and train again") from error


def take_state(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Give a module all its tensors.

    Raises:
        RuntimeError: one is missing, too many, or of another type or shape.
    """
    if why := misfit(module, tensors):
        raise RuntimeError(why)
    module.load_state_dict(tensors)


def trainer_state(trainer: Trainer) -> dict[str, Tensor]:
    """Weights, norm statistics and momenta."""
    tensors = {f"network.{name}": tensor for name, tensor in trainer.network.state_dict().items()}
    for name, parameter in trainer.network.named_parameters():
        for key, kept in trainer.optimizer.state[parameter].items():
            if kept is not None:
                tensors[f"{_KEPT[key]}.{name}"] = kept
    if trainer.scaler.is_enabled():
        scaler = trainer.scaler.state_dict()
        tensors["scaler"] = torch.tensor([scaler["scale"], scaler["_growth_tracker"]], dtype=torch.float64)
    return tensors


def restore_trainer(trainer: Trainer, tensors: Mapping[str, Tensor]) -> None:
    """Take up a state, in which other names occur too."""
    own = {name.removeprefix("network."): t for name, t in tensors.items() if name.startswith("network.")}
    take_state(trainer.network, own)
    for name, parameter in trainer.network.named_parameters():
        for key, prefix in _KEPT.items():
            if (kept := tensors.get(f"{prefix}.{name}")) is None:
                continue
            if key == "step":
                trainer.optimizer.state[parameter][key] = kept.clone()
                continue
            if kept.shape != parameter.shape:
                raise RuntimeError(f"{prefix}.{name} is of shape {list(kept.shape)}, not {list(parameter.shape)}")
            # Strides follow the parameter's, for the same sums in the same order.
            trainer.optimizer.state[parameter][key] = torch.empty_like(parameter).copy_(kept)
    if trainer.scaler.is_enabled() and "scaler" in tensors:
        scale, steps = tensors["scaler"].tolist()
        trainer.scaler.load_state_dict({**trainer.scaler.state_dict(), "scale": scale, "_growth_tracker": int(steps)})


def start_from(network: Network, tensors: Mapping[str, Tensor]) -> None:
    """Take the weights of a float training, with or without norms for several widths.

    Raises:
        RuntimeError: they are another network's.
    """
    own = {}
    for name in network.state_dict():
        float_name = re.sub(r"\.of_bits\.\d+", "", name)
        at_full = re.sub(r"\.of_bits\.\d+", f".of_bits.{FULL_BITS}", name)
        found = next((n for n in (float_name, at_full) if n in tensors), None)
        if found is None:
            raise RuntimeError(f"no tensor {float_name}")
        own[name] = tensors[found]
    take_state(network, own)
