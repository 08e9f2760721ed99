# SPDX-License-Identifier: Apache-2.0
"""Parts of an adapted network as they are deployed: their traced nodes as operators, norms folded on the shared grid.

A torch exporter folds each mode's norms by itself, after which two modes no longer have the same weights.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, fx, nn

from dimmer.errors import DimmerError
from dimmer.pipeline.networks.adapted.operators import (
    ADDITIONS,
    SHAPES,
    Add,
    Convolution,
    Flatten,
    GlobalPool,
    MaxPool,
    Nodes,
    folded_convolution,
    is_flatten,
    is_global_pool,
    max_pool_of,
    only_user,
    own_activation,
    why_not_folded,
)
from dimmer.pipeline.networks.adapted.twins import TwinNorm
from dimmer.pipeline.networks.deployed import DeployedBlock, Tap
from dimmer.pipeline.networks.folding import Folding
from dimmer.pipeline.networks.sites import HEAD, STEM

KNOWN = (
    "convolutions and linear layers, batch norm behind a convolution, ReLU, ReLU6, additions, max and global pooling"
)


def _called(module: nn.Module | None, node: fx.Node) -> str:
    """What a node calls, as its user knows it."""
    own = module.executed if isinstance(module, TwinNorm) else module
    if isinstance(own, nn.BatchNorm2d):
        return why_not_folded(own) or "a batch norm that does not follow a convolution"
    if own is not None:
        return type(own).__name__
    return str(getattr(node.target, "__name__", node.target))


@dataclass(frozen=True)
class Step:
    """One operator of a part.

    Attributes:
        site: of what it makes.
        reads: names of what it reads: sites, or "" for the part's input.
    """

    site: str
    reads: tuple[str, ...]


class DeployedPart(nn.Module):
    """Operators in their order; the last one's output is the part's.

    Args:
        steps: the operators' sites.
        operators: as many.
    """

    def __init__(self, steps: tuple[Step, ...], operators: list[nn.Module]) -> None:
        super().__init__()
        self.steps = steps
        self.operators = nn.ModuleList(operators)

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """The part's input -> its output, tapped at every site."""
        made = {"": x}
        for step, run in zip(self.steps, self.operators, strict=True):
            x = tap(step.site, run(*(made[name] for name in step.reads)))
            made[step.site] = x
        return x


class DeployedAdaptedBlock(DeployedBlock):
    """A block of an adapted network, with what lies in front of it."""

    def __init__(self, name: str, part: DeployedPart) -> None:
        super().__init__(name, 8)
        self.part = part

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """The stream -> the stream."""
        made: Tensor = self.part(x, tap)
        return made


def deployed_part(pieces: list[tuple[nn.Module, fx.Graph]], fold: Folding, last: str) -> DeployedPart:
    """A part of a network as plain operators.

    Args:
        pieces: modules with their graphs, one behind the other.
        fold: of the part.
        last: the site of its output.

    Raises:
        DimmerError: an operator is not among those that are known, or a gamma is not positive.
    """
    making = _Making(fold, last)
    made = ""
    for module, graph in pieces:
        made = making.run(Nodes(module), graph, made)
    if not making.steps or making.steps[-1].site != made:
        raise DimmerError(f"the part '{fold.name}' of the network does not end with an operator that a device runs")
    steps = [Step(step.site, step.reads) for step in making.steps]
    steps[-1] = Step(last, steps[-1].reads)
    return DeployedPart(tuple(steps), making.operators)


class _Making:
    """The operators of a part, as they are found."""

    def __init__(self, fold: Folding, last: str) -> None:
        # A module of the user's may be called as an end of the part is.
        self._taken = {last, fold.site("in")}
        self.steps: list[Step] = []
        self.operators: list[nn.Module] = []
        self._fold = fold
        self._positive: set[str] = set()

    def run(self, nodes: Nodes, graph: fx.Graph, entry: str) -> str:
        """Take up a graph; returns the site of its output."""
        made: dict[fx.Node, str] = {}
        done: set[fx.Node] = set()
        for node in graph.nodes:
            if node in done or node.op == "get_attr":
                continue
            if node.op == "placeholder":
                made[node] = entry
            elif node.op == "output":
                result = node.args[0]
                assert isinstance(result, fx.Node)
                return self._made(made, result, result)
            elif nodes.passed(node):
                made[node] = self._made(made, node, node.all_input_nodes[0])
            elif nodes.is_function(node, SHAPES):
                continue
            else:
                end, operator, inputs = self._operator(nodes, node)
                site = self._emit(node, operator, tuple(self._made(made, node, i) for i in inputs))
                while node is not end:
                    done.add(node)
                    made[node] = site
                    following = only_user(node)
                    assert following is not None
                    node = following
                done.add(node)
                made[node] = site
        raise AssertionError("a graph ends with its output")

    def _made(self, made: dict[fx.Node, str], reader: fx.Node, node: fx.Node) -> str:
        if node not in made:
            raise self._refused(reader, f"what is computed with '{node.target}', no tensor of the stream,")
        return made[node]

    def _emit(self, node: fx.Node, operator: nn.Module, reads: tuple[str, ...]) -> str:
        name = f"{self._fold.name}_{node.name}" if self._fold.name in (STEM, HEAD) else self._fold.site(node.name)
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        self.steps.append(Step(name, reads))
        self.operators.append(operator)
        keeps = isinstance(operator, MaxPool | GlobalPool | Flatten) and reads[0] in self._positive
        if keeps or isinstance(getattr(operator, "act", operator), nn.ReLU | nn.ReLU6):
            self._positive.add(name)
        return name

    def _operator(self, nodes: Nodes, node: fx.Node) -> tuple[fx.Node, nn.Module, list[fx.Node]]:
        """(the last node that the operator takes in, the operator, the nodes that it reads)."""
        inputs = [arg for arg in node.all_input_nodes if not nodes.is_function(arg, SHAPES)]
        if (conv := nodes.plain(node, nn.Conv2d)) is not None:
            end, norm = node, nodes.norm(nodes.next(node))
            activation = None
            if norm is not None:
                following = nodes.next(node)
                assert following is not None
                end = following
                try:
                    activation = own_activation(norm)
                except KeyError as error:
                    raise self._refused(node, f"the activation {error.args[0]}") from error
            if activation is None:
                end, activation = self._fused(nodes, end)
            folded = folded_convolution(self._fold, node.name, conv, norm, lambda reason: self._refused(node, reason))
            return end, Convolution(folded, activation), inputs
        if (linear := nodes.plain(node, nn.Linear)) is not None:
            end, activation = self._fused(nodes, node)
            return end, Convolution(self._fold.linear(linear), activation), inputs
        if nodes.is_function(node, ADDITIONS):
            if len(inputs) != 2:
                raise self._refused(node, "an addition of something else than two tensors")
            if len(node.args) != 2 or node.kwargs:
                raise self._refused(node, "an addition with a factor, or with arguments by name,")
            end, activation = self._fused(nodes, node)
            return end, Add(activation), inputs
        if (activation := nodes.activation(node)) is not None:
            return node, activation, inputs
        if is_global_pool(nodes, node):
            following = nodes.next(node)
            flat = is_flatten(nodes, following)
            named = node.kwargs.get("keepdim", len(node.args) > 2 and node.args[2])
            is_mean = nodes.module(node) is None and "mean" in node.name
            end = following if flat and following is not None else node
            return end, GlobalPool(flat or (is_mean and not named)), inputs
        if is_flatten(nodes, node):
            return node, Flatten(), inputs
        if (pool := max_pool_of(nodes, node)) is not None:
            return node, self._max_pool(node, pool), inputs
        raise self._refused(node, _called(nodes.module(node), node))

    def _fused(self, nodes: Nodes, node: fx.Node) -> tuple[fx.Node, nn.Module | None]:
        """The activation that follows at once, and the node up to which that goes."""
        following = nodes.next(node)
        activation = nodes.activation(following)
        return (node, None) if activation is None or following is None else (following, activation)

    def _max_pool(self, node: fx.Node, pool: nn.MaxPool2d) -> nn.Module:
        if pool.ceil_mode or pool.dilation not in (1, (1, 1)):
            raise self._refused(node, "max pooling with ceil_mode or dilation")
        if pool.padding not in (0, (0, 0)) and (not self.steps or self.steps[-1].site not in self._positive):
            raise self._refused(node, "padded max pooling of values that may be negative")
        return MaxPool(pool)

    def _refused(self, node: fx.Node, what: str) -> DimmerError:
        place = f"'{node.target}'" if node.op == "call_module" else f"'{node.name}'"
        return DimmerError(
            f"part '{self._fold.name}' of the adapted network: {what} at {place} is not deployed; it may have {KNOWN}"
        )
