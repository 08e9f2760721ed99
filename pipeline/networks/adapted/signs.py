# SPDX-License-Identifier: Apache-2.0
"""Negative gammas of trained batch norms turned positive, without changing a bit of what the network computes.

All modes share weights because folding a norm only scales them (`dimmer.calibration.weights`), which needs positive
gammas. gamma (y - mean) = -gamma (-y + mean): the sign goes into the convolution in front, whose sums change sign and
nothing else. A convolution or a norm that is used in several places stays as it is, since the others would see it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

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
    uses: Counter[int] = Counter()
    pairs: list[tuple[nn.Conv2d, list[nn.BatchNorm2d]]] = []
    for part in _parts(network):
        graph = _graph(part)
        if graph is None:
            # Of what it uses nothing is known.
            uses.update(2 * [id(parameter) for parameter in part.parameters()])
            continue
        nodes = Nodes(part)
        for node in graph.nodes:
            uses.update(_used(nodes, node))
            conv = nodes.calls(node, nn.Conv2d)
            norm = nodes.norm(nodes.next(node)) if conv is not None else None
            if conv is not None and norm is not None:
                pairs.append((conv, _both(norm)))
    return sum(_turn(conv, norms) for conv, norms in pairs if uses[id(conv.weight)] == uses[id(norms[0].weight)] == 1)


def negative_norm(network: Network) -> str | None:
    """The name of a batch norm that is run and has negative gammas still; None where there is none."""
    names: dict[int, str] = {id(module): name for name, module in network.named_modules()}
    for part in _parts(network):
        graph, nodes = _graph(part), Nodes(part)
        for node in () if graph is None else graph.nodes:
            norm = nodes.norm(node)
            if norm is not None and any(bool((own.weight < 0).any()) for own in _both(norm)):
                return names[id(norm)]
    return None


def _graph(part: nn.Module) -> fx.Graph | None:
    """None where it cannot be traced: it can be trained, and deploying it tells why."""
    try:
        return part.graph if isinstance(part, fx.GraphModule) else trace(part, (), "a block")
    except DimmerError:
        return None


def _both(norm: nn.BatchNorm2d | TwinNorm) -> list[nn.BatchNorm2d]:
    return [norm.executed, norm.skipped] if isinstance(norm, TwinNorm) else [norm]


def _used(nodes: Nodes, node: fx.Node) -> Iterator[int]:
    """The parameters that a node reads; two modules may have one between them."""
    module = nodes.module(node)
    if module is not None:
        yield from {id(parameter) for parameter in module.parameters()}
    elif node.op == "get_attr":
        yield id(nodes.attribute(node))


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
