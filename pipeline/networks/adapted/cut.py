# SPDX-License-Identifier: Apache-2.0
"""A network cut at its blocks into a chain, stem, blocks and head, between which a single tensor passes.

torch.fx traces what lies between the blocks, whose modules stay as they are. What a chain cannot be made of, such as a
second tensor that runs beside the residual stream, is refused.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from torch import fx, nn

from dimmer.errors import DimmerError
from dimmer.pipeline.networks.adapted.probe import is_drop, is_norm
from dimmer.pipeline.networks.layers.norm import SkipAwareNorm

_WRITING = tuple(
    getattr(operator, f"i{name}") for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
)
"""What ``x += y`` and its kind call."""


@dataclass(frozen=True)
class Chain:
    """A network in pieces, which share its modules.

    Attributes:
        stem: the image -> what enters the first block.
        leads: what lies in front of each block, behind the one before; None where nothing does, as for the first.
        blocks: the network's own modules.
        head: what the last block gives -> logits.
    """

    stem: nn.Module
    leads: tuple[nn.Module | None, ...]
    blocks: tuple[nn.Module, ...]
    head: nn.Module


class Tracer(fx.Tracer):
    """Looks into every module but torch's own, norms, and those named.

    Args:
        leaves: names of modules that stay whole.
    """

    def __init__(self, leaves: Collection[str] = ()) -> None:
        super().__init__()
        self._leaves = frozenset(leaves)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Whether a module is one node of the graph."""
        # Drop paths ask whether they are in training, which a trace would settle for good.
        random = is_drop(m)
        # Libraries derive their own from these; what those compute is looked at where they are deployed.
        known = isinstance(m, SkipAwareNorm | nn.Conv2d | nn.Linear)
        whole = module_qualified_name in self._leaves or known or is_norm(m) or random
        return whole or super().is_leaf_module(m, module_qualified_name)


def trace(network: nn.Module, leaves: Collection[str], what: str) -> fx.Graph:
    """The graph of a network.

    Raises:
        DimmerError: its control flow depends on values.
    """
    was_training = network.training
    try:
        # Functional dropout is left out, as it is in deployment.
        graph = Tracer(leaves).trace(network.eval())
        _without_writes(network, graph)
        return graph
    except Exception as error:  # whatever the user's code raises under a proxy
        reason = " ".join(str(error).split())[:200]
        raise DimmerError(f"{what} cannot be traced by torch.fx: {reason}") from error
    finally:
        network.train(was_training)


def _without_writes(network: nn.Module, graph: fx.Graph) -> None:
    """Has all that reads a tensor behind a node that changes it in place read that node: ``F.relu(x, inplace=True)`` as
    a statement has no reader, and is meant.
    """
    for node in graph.nodes:
        written = _written(network, node)
        if written is not None:
            for user in [user for user in written.users if user is not node and node < user]:
                user.replace_input_with(written, node)


def _written(network: nn.Module, node: fx.Node) -> fx.Node | None:
    """The node whose tensor another changes in place."""
    target: Any = node.target
    name = target if node.op == "call_method" else getattr(target, "__name__", "")
    if node.op == "call_module":
        writes = getattr(network.get_submodule(target), "inplace", False) is True
    elif node.op in ("call_method", "call_function"):
        writes = target in _WRITING or (name.endswith("_") and not name.endswith("__")) or _is_told_to_write(node)
    else:
        return None
    first = node.args[0] if node.args else node.kwargs.get("input")
    return first if writes and isinstance(first, fx.Node) else None


def _is_told_to_write(node: fx.Node) -> bool:
    """Whether a function is called with ``inplace=True``."""
    if "inplace" in node.kwargs or not callable(node.target):
        return node.kwargs.get("inplace") is True
    try:
        return inspect.signature(node.target).bind(*node.args, **node.kwargs).arguments.get("inplace") is True
    except (TypeError, ValueError):
        return False


def cut(network: nn.Module, blocks: Sequence[str]) -> Chain:
    """Cut a network at its blocks.

    Args:
        network: whose modules the pieces share.
        blocks: names of modules, in the order in which they run.

    Raises:
        DimmerError: it is no chain of them, with the reason.
    """
    graph = trace(network, blocks, "what lies between the blocks")
    nodes = [node for node in graph.nodes if node.op != "output"]
    ends = [node for node in nodes if node.op == "call_module" and node.target in set(blocks)]
    found = [str(node.target) for node in ends]
    if found != list(blocks):
        raise DimmerError(f"blocks run in the order {', '.join(found)}, not {', '.join(blocks)}; list them so")
    placeholders = [node for node in nodes if node.op == "placeholder"]
    begins: list[fx.Node] = placeholders[:1]
    pieces: list[nn.Module | None] = []
    results = [*(_single(node) for node in ends), _output(graph)]
    for begin, result in zip([*begins, *ends], results, strict=True):
        pieces.append(_piece(network, begin, result))
    stem = pieces[0] or nn.Identity()
    leads = (None, *pieces[1:-1])
    return Chain(stem, leads, tuple(network.get_submodule(name) for name in blocks), pieces[-1] or nn.Identity())


def _single(node: fx.Node) -> fx.Node:
    """What enters a block."""
    entering = node.all_input_nodes
    if len(entering) != 1 or not node.args or node.args[0] is not entering[0]:
        names = ", ".join(other.name for other in entering)
        raise DimmerError(f"block '{node.target}' takes more than one tensor ({names}); a stage passes one on")
    return entering[0]


def _output(graph: fx.Graph) -> fx.Node:
    made: Any = next(node for node in graph.nodes if node.op == "output").args[0]
    if not isinstance(made, fx.Node):
        raise DimmerError("the network gives more than one tensor; wrap it in a factory of your own")
    return made


def _piece(network: nn.Module, begin: fx.Node, result: fx.Node) -> nn.Module | None:
    """What computes a node from another, and from that alone; None where both are one."""
    if begin is result:
        return None
    wanted: set[fx.Node] = set()
    waiting = [result]
    while waiting:
        node = waiting.pop()
        if node in wanted or node is begin:
            continue
        if node.op in ("placeholder", "call_module") and (node.op == "placeholder" or node < begin):
            raise DimmerError(
                f"'{result.name}' needs '{node.name}', from before the block '{begin.target}'; only the residual "
                f"stream may pass between blocks"
            )
        wanted.add(node)
        waiting += node.all_input_nodes
    graph = fx.Graph()
    entry = graph.placeholder("x")
    copies = {begin: entry}
    for node in begin.graph.nodes:
        if node in wanted:
            copies[node] = graph.node_copy(node, lambda n: copies[n])
    graph.output(copies[result])
    return fx.GraphModule(network, graph)
