# SPDX-License-Identifier: Apache-2.0
"""Negative gammas of trained batch norms turned positive, without changing a bit of what the network computes.

All modes share weights because folding a norm only scales them (`dimmer.calibration.weights`), which needs positive
gammas. gamma (y - mean) = -gamma (-y + mean): the sign goes into the convolution in front, whose sums change sign and
nothing else.
"""

from __future__ import annotations

import torch
from torch import fx, nn

from dimmer.errors import DimmerError
from dimmer.pipeline.networks.adapted.cut import trace
from dimmer.pipeline.networks.adapted.operators import Nodes
from dimmer.pipeline.networks.adapted.twins import TwinNorm
from dimmer.pipeline.networks.network import Network


@torch.no_grad()
def positive_gammas(network: Network) -> int:
    """Turn the negative gammas of all batch norms that follow a convolution; returns how many there were.

    Twins are as they begin, alike.
    """
    turned = 0
    for part in _parts(network):
        try:
            graph = part.graph if isinstance(part, fx.GraphModule) else trace(part, (), "a block")
        except DimmerError:
            # It can be trained; deploying it tells why it cannot be traced.
            continue
        nodes = Nodes(part)
        for node in graph.nodes:
            conv = nodes.calls(node, nn.Conv2d)
            norm = nodes.norm(nodes.next(node)) if conv is not None else None
            if conv is not None and norm is not None:
                turned += _turn(conv, [norm.executed, norm.skipped] if isinstance(norm, TwinNorm) else [norm])
    return turned


def _parts(network: Network) -> list[nn.Module]:
    found: list[nn.Module] = [*network.beginning(), getattr(network, "head")]  # noqa: B009
    for stage in range(len(network.stages)):
        for block in network.stage(stage):
            found += [piece for piece in block.children() if piece is not None]
    return [part for part in found if not isinstance(part, nn.Identity)]


def _turn(conv: nn.Conv2d, norms: list[nn.BatchNorm2d]) -> int:
    negative = norms[0].weight < 0
    if not bool(negative.any()):
        return 0
    conv.weight[negative] *= -1
    if conv.bias is not None:
        conv.bias[negative] *= -1
    for norm in norms:
        norm.weight[negative] *= -1
        if norm.running_mean is not None:
            norm.running_mean[negative] *= -1
    return int(negative.sum())
