# SPDX-License-Identifier: Apache-2.0
"""Checked operators -> Graph: the tensors that anything uses, several inputs and outputs in one buffer each, and what
is kept for the next inference.
"""

from __future__ import annotations

from typing import Protocol

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.options import Join, Unjoin
from dimmer.firmware_gen.graph.types import (
    Conv2d,
    DepthwiseConv2d,
    DType,
    FullyConnected,
    Graph,
    Operator,
    Part,
    State,
    Tensor,
    joined,
)
from dimmer.firmware_gen.read.flatbuffer import RawTensor
from dimmer.firmware_gen.read.state import Variables

INT4_ADVICE = "only the weights of convolutions and FULLY_CONNECTED can be; quantise the network to int8"


def initial_bytes(tensor: Tensor) -> bytes:
    """What the interpreter fills a variable tensor with: what stands for zero."""
    return bytes([tensor.q.zero_point & 0xFF]) * tensor.size if tensor.dtype is DType.INT8 else bytes(tensor.size)


class CheckedTensors(Protocol):
    """The tensors of a file, by their index."""

    raw: tuple[RawTensor, ...]
    source: str
    checked: dict[int, Tensor]

    def get(self, index: int) -> Tensor:
        """A tensor, checked."""


class Assembly:
    """Puts a graph together.

    Attributes:
        order: index in the file -> index in the graph.
    """

    def __init__(self, tensors: CheckedTensors) -> None:
        self.tensors = tensors
        self.order: dict[int, int] = {}

    def graph(
        self,
        operators: tuple[Operator, ...],
        inputs: tuple[int, ...],
        outputs: tuple[int, ...],
        assigned: tuple[Operator, ...] = (),
    ) -> Graph:
        """The graph with the used tensors alone, renumbered in the order of their first use.

        Args:
            operators: of the file.
            inputs: of the file.
            outputs: of the file; one of several may be a state's value before it is assigned anew.
            assigned: what ends an inference, when the outputs have been taken.
        """
        graph_input, taken = self._joined_inputs(inputs)
        graph_output, put = self._joined_outputs(outputs)
        order: dict[int, int] = {graph_input: 0}
        for operator in operators:
            weighted = isinstance(operator.options, Conv2d | DepthwiseConv2d | FullyConnected)
            for place, index in enumerate(operator.inputs):
                tensor = self.tensors.get(index)
                if tensor.weight_bits != 8 and not (weighted and place == 1):
                    raise FirmwareGenError(f"{self.tensors.source}: tensor {tensor.name} is INT4: {INT4_ADVICE}")
        operators = (*taken, *operators, *put, *assigned)
        for operator in operators:
            for index in (*operator.inputs, operator.output):
                order.setdefault(index, len(order))
        order.setdefault(graph_output, len(order))
        self.order = order
        renumbered = tuple(
            Operator(
                operator.index,
                operator.kind,
                operator.options,
                tuple(order[index] for index in operator.inputs),
                order[operator.output],
            )
            for operator in operators
        )
        return Graph(
            self.tensors.source,
            tuple(self.tensors.get(index) for index in order),
            renumbered,
            order[graph_input],
            order[graph_output],
            self._parts(inputs),
            self._parts(outputs),
        )

    def assigned(self, variables: Variables, operators: int) -> tuple[Operator, ...]:
        """The operators that end an inference of a file with state."""
        found = variables.assignments(operators, len(self.tensors.raw) + 2 + len(variables.found))
        for operator in found:
            self.tensors.checked[operator.output] = self.tensors.get(operator.inputs[1])
        return found

    def states(self, variables: Variables) -> tuple[State, ...]:
        """The variables that anything uses, by their place in the graph."""
        return tuple(
            State(self.order[variable.index], variable.initial)
            for variable in variables.found.values()
            if variable.index in self.order
        ) + tuple(
            State(self.order[index], initial_bytes(tensor))
            for index, tensor in variables.kept.items()
            if index in self.order
        )

    def _parts(self, indexes: tuple[int, ...]) -> tuple[Part, ...]:
        return joined([self.tensors.get(index) for index in indexes]) if len(indexes) > 1 else ()

    def _buffer(self, place: int, parts: tuple[Part, ...], name: str) -> int:
        """A tensor that is in no file: bytes that hold several."""
        index = len(self.tensors.raw) + place
        size = sum(part.tensor.size for part in parts)
        self.tensors.checked[index] = Tensor(name, (size,), DType.INT8, None, None)
        return index

    def _joined_inputs(self, indexes: tuple[int, ...]) -> tuple[int, list[Operator]]:
        parts = self._parts(indexes)
        if not parts:
            return indexes[0], []
        buffer = self._buffer(0, parts, "all inputs")
        taken = [
            Operator(0, "INPUT", Unjoin(part.offset), (buffer,), index)
            for part, index in zip(parts, indexes, strict=True)
        ]
        return buffer, taken

    def _joined_outputs(self, indexes: tuple[int, ...]) -> tuple[int, list[Operator]]:
        parts = self._parts(indexes)
        if not parts:
            return indexes[0], []
        buffer = self._buffer(1, parts, "all outputs")
        return buffer, [
            Operator(len(self.tensors.raw), "OUTPUT", Join(tuple(part.offset for part in parts)), indexes, buffer)
        ]
