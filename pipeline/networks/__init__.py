"""Adaptive networks: one file a family, built by name from a frozen configuration."""

from __future__ import annotations

from pipeline.errors import DimmerError
from pipeline.networks.norm import MIN_GAMMA, clamp_gammas
from pipeline.networks.resnet import BoundNetwork, ResNet, ResNetConfig, resnet_cost

__all__ = [
    "FAMILIES",
    "MIN_GAMMA",
    "BoundNetwork",
    "Network",
    "NetworkConfig",
    "ResNet",
    "ResNetConfig",
    "bind",
    "build",
    "clamp_gammas",
    "resnet_cost",
]

FAMILIES = ("resnet",)

# The union of the families' configurations and networks; each new family joins here.
NetworkConfig = ResNetConfig
Network = ResNet
bind = BoundNetwork


def build(family: str, config: NetworkConfig) -> Network:
    """Build an untrained network; seed torch before for repeatable weights.

    Raises:
        DimmerError: no such family.
    """
    if family != "resnet":
        raise DimmerError(f"unknown network family '{family}'; known are: {', '.join(FAMILIES)}")
    return ResNet(config)
