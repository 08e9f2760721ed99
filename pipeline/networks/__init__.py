# SPDX-License-Identifier: Apache-2.0
"""Adaptive networks: one family a module, built by name from a frozen configuration."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dimmer.pipeline.networks.family import NetworkConfig, family_module

if TYPE_CHECKING:
    from dimmer.pipeline.networks.layers.norm import clamp_gammas
    from dimmer.pipeline.networks.network import Network

__all__ = ["Network", "NetworkConfig", "build", "clamp_gammas"]

_IN_TORCH = {
    "Network": "dimmer.pipeline.networks.network",
    "clamp_gammas": "dimmer.pipeline.networks.layers.norm",
}


def __getattr__(name: str) -> Any:
    # torch takes seconds to import, and a command that only reads a recipe does not need it.
    if name in _IN_TORCH:
        return getattr(import_module(_IN_TORCH[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def build(family: str, config: NetworkConfig) -> Network:
    """Build an untrained network; seed torch before for repeatable weights.

    Args:
        config: of this family.

    Raises:
        DimmerError: no such family.
    """
    network: Network = import_module(family_module(family)).NETWORK(config)
    network.join()
    return network
