"""Adaptive networks: one file a family, built by name from a frozen configuration."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig, resnet_cost
from dimmer.pipeline.networks.layers.limits import MIN_GAMMA

if TYPE_CHECKING:
    from dimmer.pipeline.networks.families.resnet import BoundNetwork, ResNet
    from dimmer.pipeline.networks.families.resnet import ResNet as Network
    from dimmer.pipeline.networks.layers.norm import clamp_gammas

__all__ = [
    "FAMILIES",
    "MIN_GAMMA",
    "BoundNetwork",
    "Network",
    "NetworkConfig",
    "ResNet",
    "ResNetConfig",
    "build",
    "clamp_gammas",
    "resnet_cost",
]

FAMILIES = ("resnet",)

# The union of the families' configurations; each new family joins here, and in Network above.
NetworkConfig = ResNetConfig

_IN_TORCH = {
    "BoundNetwork": ("dimmer.pipeline.networks.families.resnet", "BoundNetwork"),
    "Network": ("dimmer.pipeline.networks.families.resnet", "ResNet"),
    "ResNet": ("dimmer.pipeline.networks.families.resnet", "ResNet"),
    "clamp_gammas": ("dimmer.pipeline.networks.layers.norm", "clamp_gammas"),
}


def __getattr__(name: str) -> Any:
    # torch takes seconds to import, and a command that only reads a recipe does not need it.
    if name in _IN_TORCH:
        module, attribute = _IN_TORCH[name]
        return getattr(import_module(module), attribute)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def build(family: str, config: NetworkConfig) -> Network:
    """Build an untrained network; seed torch before for repeatable weights.

    Raises:
        DimmerError: no such family.
    """
    if family != "resnet":
        raise DimmerError(f"unknown network family '{family}'; known are: {', '.join(FAMILIES)}")
    from dimmer.pipeline.networks.families.resnet import ResNet

    return ResNet(config)
