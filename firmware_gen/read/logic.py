# SPDX-License-Identifier: Apache-2.0
"""Records of decisions (comparisons, choices, the place of an extreme), changes of type, and divisions."""

from __future__ import annotations

from collections.abc import Callable

from dimmer.firmware_gen.graph.options import ArgExtreme, Cast, Compare, Divide, Extreme, Not, Select
from dimmer.firmware_gen.graph.types import Activation, DType, Options, Tensor
from dimmer.firmware_gen.read.elementwise import ElementwiseReader

COMPARISONS = {
    "EQUAL": Compare(less=False, equal=True, greater=False),
    "NOT_EQUAL": Compare(less=True, equal=False, greater=True),
    "LESS": Compare(less=True, equal=False, greater=False),
    "LESS_EQUAL": Compare(less=True, equal=True, greater=False),
    "GREATER": Compare(less=False, equal=False, greater=True),
    "GREATER_EQUAL": Compare(less=False, equal=True, greater=True),
}

Read = tuple[Options, tuple[int, ...]]


class LogicReader(ElementwiseReader):
    """Decisions, changes of type and divisions."""

    @property
    def _logic_readers(self) -> dict[str, Callable[[], Read]]:
        return {
            **{kind: self._comparison(options) for kind, options in COMPARISONS.items()},
            "LOGICAL_AND": lambda: self._logical(Extreme(largest=False)),
            "LOGICAL_OR": lambda: self._logical(Extreme(largest=True)),
            "LOGICAL_NOT": self._not,
            "SELECT": self._select,
            "SELECT_V2": self._select,
            "ARG_MAX": self._arg_extreme,
            "ARG_MIN": self._arg_extreme,
            "CAST": self._cast,
            "DIV": self._divide,
            "FLOOR_DIV": self._divide,
        }

    def _comparison(self, options: Compare) -> Callable[[], Read]:
        def read() -> Read:
            inputs = self._inputs(2, 2)
            self._typed(DType.BOOL, self._record.outputs[0])
            if all(self.tensor(index).dtype is DType.BOOL for index in inputs):
                if self._record.kind not in ("EQUAL", "NOT_EQUAL"):
                    raise self.error("compares bool; use LOGICAL_AND, LOGICAL_OR and LOGICAL_NOT")
                self._computed(*inputs)
            else:
                self._per_tensor(*inputs)
            self._broadcast(*(self.tensor(index).shape for index in inputs))
            return options, inputs

        return read

    def _logical(self, options: Options) -> Read:
        inputs = self._inputs(2, 2)
        self._typed(DType.BOOL, *inputs, self._record.outputs[0])
        self._computed(*inputs)
        self._broadcast(*(self.tensor(index).shape for index in inputs))
        return options, inputs

    def _not(self) -> Read:
        inputs = self._inputs(1, 1)
        self._typed(DType.BOOL, *inputs, self._record.outputs[0])
        self._computed(*inputs)
        self._shape(self.tensor(inputs[0]).shape)
        return Not(), inputs

    def _select(self) -> Read:
        inputs = self._inputs(3, 3)
        self._typed(DType.BOOL, inputs[0])
        self._computed(inputs[0])
        condition, first, second = (self.tensor(index) for index in inputs)
        if self._output.dtype is DType.BOOL:
            self._typed(DType.BOOL, *inputs)
            self._computed(*inputs)
        else:
            self._per_tensor(*inputs[1:], self._record.outputs[0])
        shapes = [condition.shape, first.shape, second.shape]
        rows = False
        if self._record.kind == "SELECT":
            if first.shape != second.shape:
                raise self.error(
                    f"chooses between {list(first.shape)} and {list(second.shape)}; convert the model again"
                )
            rows = len(condition.shape) == 1 and len(first.shape) > 1
            if rows:
                shapes[0] = (*condition.shape, *((1,) * (len(first.shape) - 1)))
            if shapes[0] not in (first.shape, ()) and not (rows and condition.shape[0] == first.shape[0]):
                raise self.error(
                    f"has the condition {list(condition.shape)} for {list(first.shape)}; convert the model again"
                )
        self._broadcast(*shapes)
        return Select(rows), inputs

    def _arg_extreme(self) -> Read:
        inputs = self._inputs(2, 2)
        self._activations(inputs[0])
        shape = self.tensor(inputs[0]).shape
        given = self._parameter(inputs[1], "axis")
        if len(given) != 1 or not -len(shape) <= given[0] < len(shape):
            raise self.error(f"has the axis {list(given)[:8]} for an input {list(shape)}; convert the model again")
        axis = given[0] % len(shape)
        if self._output.dtype not in (DType.INT32, DType.INT64):
            raise self.error(f"gives {self._output.dtype.value}, expected int32 or int64; convert the model again")
        self._shape((*shape[:axis], *shape[axis + 1 :]))
        return ArgExtreme(axis, self._record.kind == "ARG_MAX"), inputs[:1]

    def _cast(self) -> Read:
        inputs = self._inputs(1, 1)
        source = self.tensor(inputs[0])
        if source.dtype is DType.FLOAT32:
            raise self.error(f"turns float32 {source.name} into {self._output.dtype.value}; use QUANTIZE")
        self._computed(*inputs)
        self._shape(source.shape)
        return Cast(), inputs

    def _divide(self) -> Read:
        floor = self._record.kind == "FLOOR_DIV"
        options, inputs = self._elementwise(Divide(floor))
        divisor = self.tensor(inputs[1])
        if divisor.elements != 1 or not divisor.constant:
            raise self.error(f"divides by {divisor.name}, which is no single constant; multiply by its reciprocal")
        if not floor and self._activation() is not Activation.NONE:
            raise self.error("has a fused activation; use an operator of its own")
        return options, inputs

    def _typed(self, dtype: DType, *indexes: int) -> None:
        for index in indexes:
            tensor = self.tensor(index)
            if tensor.dtype is not dtype:
                raise self.error(
                    f"works on {tensor.name}, which is {tensor.dtype.value}, expected {dtype.value}; "
                    "convert the model again"
                )

    def _computed(self, *indexes: int) -> None:
        for tensor in (self.tensor(index) for index in indexes):
            if tensor.constant:
                raise self.error(f"takes the constant {tensor.name}; fold constants before the conversion")

    def _per_tensor(self, *indexes: int) -> None:
        self._int8(*indexes)
        tensors: list[Tensor] = [self.tensor(index) for index in indexes]
        for tensor in tensors:
            if tensor.q.per_channel:
                raise self.error(
                    f"works on {tensor.name}, which is quantised per channel; quantise activations per tensor"
                )
        if all(tensor.constant for tensor in tensors):
            raise self.error("has constant inputs alone; fold constants before the conversion")
