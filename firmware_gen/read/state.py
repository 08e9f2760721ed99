# SPDX-License-Identifier: Apache-2.0
"""Variables that keep state between inferences: VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE, CALL_ONCE.

A variable is a tensor that every inference begins with. What is read of it is the same bytes under another name, and
what is assigned last is put there when all operators have run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.options import STATE_PLACES, Assign
from dimmer.firmware_gen.graph.types import DType, Operator, Reshape, Tensor
from dimmer.firmware_gen.read.flatbuffer import RawModel, RawOperator

KINDS = ("CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE")


@dataclass(frozen=True, slots=True)
class Variable:
    """Attributes: index: of its tensor; tensor: what was first read of it or assigned to it; initial: its bytes."""

    index: int
    tensor: Tensor
    initial: bytes


class Variables:
    """The variables of one file.

    Attributes:
        found: by name, in the order of their first use.
        kept: variable tensors by their index, which LSTM and SVDF keep.
    """

    def __init__(self, raw: RawModel, source: str, tensor: Callable[[int], Tensor], first_index: int) -> None:
        self.raw = raw
        self.source = source
        self.tensor = tensor
        self.first_index = first_index
        self.handles: dict[int, str] = {}
        self.found: dict[str, Variable] = {}
        self.value: dict[str, int] = {}
        self.initial = _initial(raw)
        self.kept: dict[int, Tensor] = {}

    def keep(self, operator: Operator) -> None:
        """Notes the tensors that an operator itself keeps for its next run."""
        for place in STATE_PLACES.get(type(operator.options), ()):
            self.kept[operator.inputs[place]] = self.tensor(operator.inputs[place])

    def check_subgraphs(self) -> None:
        """Every subgraph but the first only sets variables, once."""
        called = {o.options.get("InitSubgraphIndex") for o in self.raw.operators if o.kind == "CALL_ONCE"}
        if self.raw.subgraphs - 1 > len(called) or any(
            operator.kind not in ("VAR_HANDLE", "ASSIGN_VARIABLE")
            for other in self.raw.others
            for operator in other.operators
        ):
            names = self.raw.signatures
            if len(names) > 1 and len(names) == self.raw.subgraphs - len(called):
                raise FirmwareGenError(
                    f"{self.source}: has the signatures {', '.join(names[:8])}, a firmware runs one; choose it: "
                    f"dimmer firmware --tflite {self.source} --signature {names[0]}"
                )
            raise FirmwareGenError(
                f"{self.source}: {self.raw.subgraphs} subgraphs, a firmware runs one, and one that CALL_ONCE sets "
                "variables with; convert without control flow (tf.cond, tf.while_loop)"
            )

    def read(self, index: int, record: RawOperator) -> tuple[Operator, ...]:
        """What one of KINDS becomes: an operator where it reads a variable, else none."""
        wanted = {"CALL_ONCE": (0, 0), "VAR_HANDLE": (0, 1), "READ_VARIABLE": (1, 1), "ASSIGN_VARIABLE": (2, 0)}
        if (len(record.inputs), len(record.outputs)) != wanted[record.kind]:
            raise self.error(index, record, "has other inputs and outputs than it should; convert the model again")
        if record.kind == "VAR_HANDLE":
            self.handles[record.outputs[0]] = str(record.options.get("SharedName", ""))
        if record.kind in ("CALL_ONCE", "VAR_HANDLE"):
            return ()
        name = self.handles.get(record.inputs[0])
        if name is None:
            raise self.error(index, record, "has a variable that no VAR_HANDLE made; convert the model again")
        if record.kind == "ASSIGN_VARIABLE":
            self.variable(index, record, name, self.tensor(record.inputs[1]))
            self.value[name] = record.inputs[1]
            return ()
        variable = self.variable(index, record, name, self.tensor(record.outputs[0]))
        return (Operator(index, record.kind, Reshape(), (self.value.get(name, variable.index),), record.outputs[0]),)

    def variable(self, index: int, record: RawOperator, name: str, like: Tensor) -> Variable:
        """The variable, made where it is new."""
        known = self.found.get(name)
        if known is None:
            if like.dtype is not DType.INT8 or like.constant:
                raise self.error(index, record, f"has the state {name}, {like.dtype.value}; quantise it to int8")
            initial = self.initial.get(name)
            if initial is None or len(initial) != like.size:
                raise self.error(
                    index,
                    record,
                    f"has the state {name}, to which CALL_ONCE gives no {like.size} bytes; convert it again",
                )
            known = Variable(self.first_index + len(self.found), replace(like, name=name), initial)
            self.found[name] = known
        if (like.shape, like.dtype) != (known.tensor.shape, known.tensor.dtype):
            raise self.error(
                index,
                record,
                f"has the state {name} as {list(like.shape)} and {list(known.tensor.shape)}; convert it again",
            )
        return known

    def assignments(self, operators: int, output: int) -> tuple[Operator, ...]:
        """What is put into the variables in the end.

        Args:
            operators: the file's number of operators, for error messages.
            output: index of the first tensor that stands for a variable's next value.
        """
        return tuple(
            Operator(operators, "ASSIGN_VARIABLE", Assign(), (self.value[name], variable.index), output + number)
            for number, (name, variable) in enumerate(self.found.items())
            if name in self.value
        )

    def error(self, index: int, record: RawOperator, message: str) -> FirmwareGenError:
        """An error about one operator."""
        return FirmwareGenError(f"{self.source}: operator {index} {record.kind} {message}")


def _initial(raw: RawModel) -> dict[str, bytes]:
    """Name -> what the subgraphs that CALL_ONCE runs assign."""
    found: dict[str, bytes] = {}
    for other in raw.others:
        handles: dict[int, str] = {}
        for record in other.operators:
            if record.kind == "VAR_HANDLE" and len(record.outputs) == 1:
                handles[record.outputs[0]] = str(record.options.get("SharedName", ""))
            elif record.kind == "ASSIGN_VARIABLE" and len(record.inputs) == 2:
                handle, value = record.inputs
                if handle in handles and 0 <= value < len(other.tensors):
                    found[handles[handle]] = other.tensors[value].data or b""
    return found
