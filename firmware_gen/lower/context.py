# SPDX-License-Identifier: Apache-2.0
"""An operator on its way to a step: its tensors and the buffers that they lie in."""

from __future__ import annotations

from collections.abc import Callable

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.types import Graph, Operator
from dimmer.firmware_gen.lower.steps import Buffer, Weights

MAX_RANK = 4


class Context:
    """One operator of a graph, and what its lowering needs of it."""

    def __init__(self, graph: Graph, operator: Operator, buffer: Callable[[int], int]) -> None:
        self.graph = graph
        self.operator = operator
        self.buffer = buffer
        self.output = graph.tensors[operator.output]
        self.inputs = [graph.tensors[index] for index in operator.inputs]
        self.layer = self.output.name

    def error(self, message: str) -> FirmwareGenError:
        """An error that says which operator of the file it is about."""
        return FirmwareGenError(f"{self.graph.where(self.operator)} {message}")

    def at(self, place: int) -> Buffer:
        """The buffer of input `place`."""
        return Buffer(self.buffer(self.operator.inputs[place]))

    def operand(self, place: int) -> Buffer | Weights:
        """An input: a buffer, or constants in the weights blob."""
        tensor = self.inputs[place]
        return self.at(place) if tensor.data is None else Weights(tensor.data, tensor.shape)

    @property
    def out(self) -> Buffer:
        """The buffer of the output."""
        return Buffer(self.buffer(self.operator.output))
