# SPDX-License-Identifier: Apache-2.0
"""Rewrites of a graph that keep every result bit for bit, and its split into positions.

- PAD before a convolution becomes the convolution's own padding: both fill with the zero point.
- TRANSPOSE and RESHAPE around a BATCH_MATMUL become its addressing (`products.py`).
- RESHAPE, and QUANTIZE between equal scales, become aliases: two tensors, one storage.
- What neither the output nor a boundary needs is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph import fixed_point as fp
from dimmer.firmware_gen.graph.options import Assign
from dimmer.firmware_gen.graph.products import fold_moves
from dimmer.firmware_gen.graph.ranges import WHOLE, code_range
from dimmer.firmware_gen.graph.types import (
    Conv2d,
    DepthwiseConv2d,
    DType,
    Graph,
    Operator,
    Pad,
    Padding,
    Quantize,
    Reshape,
    Tensor,
)

MAX_PADDING = 0xFF


@dataclass(frozen=True, slots=True)
class Network:
    """A graph cut into positions.

    Attributes:
        graph: after the passes.
        positions: the operators of each position, in order; empty where this mode skips it.
        boundaries: tensor index of the input, of the tensor between each two positions, and of the output: one more
            than positions.
        storage: for each tensor the index of the tensor whose bytes it shares, its own index where it has bytes of its
            own.
    """

    graph: Graph
    positions: tuple[tuple[Operator, ...], ...]
    boundaries: tuple[int, ...]
    storage: tuple[int, ...]


def prepare(graph: Graph, boundaries: tuple[str, ...] = ()) -> Network:
    """Runs all passes and cuts the graph at the named tensors.

    Args:
        boundaries: name of the tensor after each position but the last; a repeated name is a skipped position.

    Raises:
        FirmwareGenError: there is no such tensor, or more than the boundary tensor is live across a boundary.
    """
    cuts = tuple(_find(graph, name) for name in boundaries)
    if cuts and graph.states:
        raise FirmwareGenError(f"{graph.source}: it keeps state and has several positions; give it as one mode alone")
    folded = fold_moves(fold_padding(graph, frozenset(cuts)), frozenset(cuts))
    storage = _alias(folded)
    kept = replace(
        folded,
        operators=tuple(o for o in folded.operators if storage[o.output] == o.output or isinstance(o.options, Assign)),
    )
    live = remove_dead_code(kept, (graph.output, *cuts), storage)
    ends = (graph.input, *cuts, graph.output)
    return Network(live, _split(live, ends, storage), ends, storage)


def _find(graph: Graph, name: str) -> int:
    found = [index for index, tensor in enumerate(graph.tensors) if tensor.name == name and not tensor.constant]
    if len(found) != 1:
        raise FirmwareGenError(
            f"{graph.source}: {len(found)} tensors are called {name}, which should be a block "
            "boundary; give the boundary tensors names of their own"
        )
    return found[0]


def fold_padding(graph: Graph, keep: frozenset[int] = frozenset()) -> Graph:
    """Moves PAD of height and width into the convolutions that read it; `keep` are tensors that must go on being
    computed.
    """
    pads = {
        operator.output: operator
        for operator in graph.operators
        if isinstance(operator.options, Pad) and operator.output not in keep
    }
    operators = []
    for operator in graph.operators:
        pad = pads.get(operator.inputs[0])
        if pad is not None and isinstance(operator.options, Conv2d | DepthwiseConv2d) and isinstance(pad.options, Pad):
            padding = _joined(operator.options.window.padding, pad.options, graph.tensors[pad.output])
            if padding is not None:
                window = replace(operator.options.window, padding=padding)
                operator = replace(
                    operator,
                    options=replace(operator.options, window=window),
                    inputs=(pad.inputs[0], *operator.inputs[1:]),
                )
        operators.append(operator)
    return replace(graph, operators=tuple(operators))


def _joined(own: Padding, pad: Pad, padded: Tensor) -> Padding | None:
    before, after = pad.before, pad.after
    if len(before) != 4 or before[0] or after[0] or before[3] or after[3] or pad.value != padded.q.zero_point:
        return None
    sides = (own.top + before[1], own.bottom + after[1], own.left + before[2], own.right + after[2])
    return Padding(*sides) if max(sides) <= MAX_PADDING else None


def _alias(graph: Graph) -> tuple[int, ...]:
    storage = list(range(len(graph.tensors)))
    states = {state.tensor for state in graph.states}
    for operator in graph.operators:
        if isinstance(operator.options, Assign):
            value, state = (storage[index] for index in operator.inputs)
            if value in states:
                raise FirmwareGenError(
                    f"{graph.where(operator)} is given a state as it is, which is not supported; add what changes it"
                )
            storage[operator.output] = state
        if isinstance(operator.options, Reshape) or (
            isinstance(operator.options, Quantize) and _identity(graph, operator)
        ):
            storage[operator.output] = storage[operator.inputs[0]]
    if storage[graph.output] in states:
        raise FirmwareGenError(
            f"{graph.source}: the output {graph.tensors[graph.output].name} is a state as it is, which the inference "
            "itself changes; give what it is computed from"
        )
    return tuple(storage)


def _identity(graph: Graph, operator: Operator) -> bool:
    source, output = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    return (
        source.dtype is output.dtype is DType.INT8
        and source.q.scale == output.q.scale
        and source.q.zero_point == output.q.zero_point
    )


def remove_dead_code(graph: Graph, wanted: tuple[int, ...], storage: tuple[int, ...]) -> Graph:
    """Drops the operators that no wanted tensor depends on."""
    needed = {storage[index] for index in wanted}
    operators = []
    for operator in reversed(graph.operators):
        if operator.output in needed or isinstance(operator.options, Assign):
            needed.update(storage[index] for index in operator.inputs)
            operators.append(operator)
    return replace(graph, operators=tuple(reversed(operators)))


def _split(graph: Graph, ends: tuple[int, ...], storage: tuple[int, ...]) -> tuple[tuple[Operator, ...], ...]:
    producers = {operator.output: operator for operator in graph.operators}
    assigned: set[int] = set()
    positions = []
    for position, end in enumerate(ends[1:]):
        members: set[int] = set()
        waiting = [storage[end], *(o.output for o in graph.operators if isinstance(o.options, Assign))]
        while waiting:
            producer = producers.get(waiting.pop())
            if producer is not None and producer.output not in assigned and producer.output not in members:
                members.add(producer.output)
                waiting.extend(storage[index] for index in producer.inputs)
        assigned |= members
        operators = tuple(operator for operator in graph.operators if operator.output in members)
        known = members | {storage[ends[position]]} | {state.tensor for state in graph.states}
        needed = [
            storage[index] for operator in operators for index in operator.inputs if not graph.tensors[index].constant
        ] + [storage[end]]
        for index in needed:
            if index not in known:
                raise FirmwareGenError(
                    f"{graph.source}: {graph.tensors[index].name} is needed in position {position} "
                    f"beside the boundary {graph.tensors[ends[position]].name}; "
                    "cut only where a single tensor is live"
                )
        positions.append(operators)
    return tuple(positions)


def check_boundaries(networks: tuple[Network, ...]) -> None:
    """Checks that modes can meet: at every boundary all have a tensor of the same shape, type, scale and zero point.

    Raises:
        FirmwareGenError: two modes differ.
    """
    first = networks[0]
    for network in networks[1:]:
        if len(network.boundaries) != len(first.boundaries):
            raise FirmwareGenError(
                f"{network.graph.source}: {len(network.boundaries) - 1} positions, "
                f"{first.graph.source} has {len(first.boundaries) - 1}; name the same boundaries "
                "in every mode"
            )
        for place, (index, reference) in enumerate(zip(network.boundaries, first.boundaries, strict=True)):
            tensor, expected = network.graph.tensors[index], first.graph.tensors[reference]
            if (tensor.dtype, tensor.shape, tensor.quantisation) != (
                expected.dtype,
                expected.shape,
                expected.quantisation,
            ):
                raise FirmwareGenError(
                    f"{network.graph.source}: {tensor.name} before position {place} is "
                    f"{_describe(tensor)}, in {first.graph.source} it is {_describe(expected)}; "
                    "give the residual stream one calibration range in all modes"
                )


def with_common_codes(networks: tuple[Network, ...]) -> tuple[Network, ...]:
    """Modes of which each knows what all the others may leave in the tensors between positions.

    A switch within an inference gives a position the tensor of another mode, with codes that its own operators need
    not make.

    Args:
        networks: that passed `check_boundaries`.
    """
    if len(networks) == 1:
        return networks
    for place in range(len(networks[0].boundaries)):
        ranges = [_codes(network, place) for network in networks]
        lows, highs = zip(*ranges, strict=True)
        networks = tuple(_with_codes(network, place, (min(lows), max(highs))) for network in networks)
    return networks


def _codes(network: Network, place: int) -> tuple[int, int]:
    try:
        return code_range(network.graph, network.boundaries[place])
    except fp.RangeError:
        # A scale that cannot be computed with: it is told where its operator is lowered.
        return WHOLE


def _with_codes(network: Network, place: int, codes: tuple[int, int]) -> Network:
    tensors = list(network.graph.tensors)
    index = network.boundaries[place]
    tensors[index] = replace(tensors[index], codes=codes)
    return replace(network, graph=replace(network.graph, tensors=tuple(tensors)))


def _describe(tensor: Tensor) -> str:
    if tensor.quantisation is None:
        return f"{tensor.dtype.value}{list(tensor.shape)}"
    return (
        f"{tensor.dtype.value}{list(tensor.shape)} of scale {tensor.q.scale:.9g} and zero point {tensor.q.zero_point}"
    )
