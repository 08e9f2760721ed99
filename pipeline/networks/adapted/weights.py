# SPDX-License-Identifier: Apache-2.0
"""The weights of a network before it was adapted, as safetensors: never a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from dimmer.errors import DimmerError


def known_tensors(path: Path) -> Mapping[str, Tensor]:
    """A state dict: .safetensors, or what torch.save wrote, of which only tensors are read.

    Raises:
        DimmerError: there is no such file, it is damaged, or something else.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickles fail in many ways
        reason = " ".join(str(error).split())[:200]
        raise DimmerError(f"{path} cannot be read as a state dict: {reason}") from error
    if not isinstance(found, Mapping) or not all(isinstance(tensor, Tensor) for tensor in found.values()):
        raise DimmerError(f"{path} holds no state dict; save network.state_dict()")
    return found


def load_weights(network: nn.Module, path: Path) -> None:
    """Put saved weights into a network, all of them.

    Raises:
        DimmerError: the file is damaged, or another network's.
    """
    _load(network, known_tensors(path), str(path))


def take_weights(network: nn.Module, tensors: Mapping[str, Tensor], where: str) -> tuple[str, ...]:
    """Put weights into a network that may have another number of classes than they were trained for.

    Args:
        where: they are from, for errors.

    Returns:
        Names of those that were left out: of one layer at most, the classifier.

    Raises:
        DimmerError: they are another network's.
    """
    own = network.state_dict()
    other = tuple(name for name, tensor in tensors.items() if name in own and own[name].shape != tensor.shape)
    if len({name.rpartition(".")[0] for name in other}) > 1:
        raise DimmerError(f"{where} holds the weights of another network: {', '.join(other[:4])} have other shapes")
    _load(network, {**tensors, **{name: own[name] for name in other}}, where)
    return other


def weights_of(network: nn.Module) -> bytes:
    """All tensors of a network's state as a .safetensors file; those that share memory are written for each name."""
    return save({name: tensor.detach().clone().contiguous() for name, tensor in network.state_dict().items()})


def _load(network: nn.Module, tensors: Mapping[str, Tensor], where: str) -> None:
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise DimmerError(f"{where} holds the weights of another network: {reason}") from error
