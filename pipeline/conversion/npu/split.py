# SPDX-License-Identifier: Apache-2.0
"""A `.tflite` cut into parts for the NPU and parts for its core, a file each.

Both take turns, each with all operators of its own that can run by then. A part's inputs and outputs are values of the
whole file, known by the numbers of its tensors.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.oracle.tflite import pack, unpack

Bytes = NDArray[np.uint8]
SHAPE_ONLY = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS"})
"""Operators that move nothing: a stream of them alone is none."""
_WIDTHS = {"INT8": 1, "UINT8": 1, "BOOL": 1, "INT16": 2, "INT32": 4, "FLOAT32": 4, "INT64": 8}


@dataclass(frozen=True)
class Cut:
    """A part.

    Attributes:
        on_core: whether the NPU does not take it.
        content: a `.tflite` of its operators.
        inputs, outputs: tensors of the whole file, in the part's order.
        operators: their places in the whole file.
    """

    on_core: bool
    content: bytes
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: tuple[int, ...]


class Splitter:
    """A file whose operators are told apart.

    Attributes:
        kinds: of its operators, in its order.
        tensors: name of each operator's first output.

    Raises:
        DimmerError: it keeps a state, or has other graphs within it: it cannot be cut.
    """

    def __init__(self, content: bytes) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self._schema: Any = schema
        self._model = unpack(content)
        graph = self._model.subgraphs[0]
        if len(self._model.subgraphs) > 1 or any(tensor.isVariable for tensor in graph.tensors):
            raise DimmerError("it keeps a state from one inference to the next, and cannot be cut into parts")
        self._graph = graph
        names = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
        codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in self._model.operatorCodes]
        self.kinds = tuple(names.get(codes[operator.opcodeIndex], "CUSTOM") for operator in graph.operators)
        self.tensors = tuple(_text(graph.tensors[operator.outputs[0]].name) for operator in graph.operators)
        self.inputs, self.outputs = tuple(map(int, graph.inputs)), tuple(map(int, graph.outputs))

    def size(self, tensor: int) -> int:
        """Bytes of a tensor."""
        shape = [int(size) for size in self._graph.tensors[tensor].shape]
        return self._width(tensor) * int(np.prod(shape, dtype=np.int64))

    def joined(self, tensors: Sequence[int]) -> Joined:
        """Tensors in one run of bytes."""
        offsets, end = [0] * len(tensors), 0
        for place in sorted(range(len(tensors)), key=lambda at: -self._width(tensors[at])):
            offsets[place] = end
            end += self.size(tensors[place])
        return Joined(tuple(offsets), tuple(map(self.size, tensors)))

    def _width(self, tensor: int) -> int:
        found = self._graph.tensors[tensor]
        kinds = {code: name for name, code in vars(self._schema.TensorType).items() if not name.startswith("_")}
        width = _WIDTHS.get(kinds.get(found.type, ""))
        if width is None:
            raise DimmerError(f"tensor {_text(found.name)} has a type that no part can hand on")
        return width

    def cut(self, core: Set[int]) -> tuple[Cut, ...]:
        """The parts, where the core runs some operators; those that move nothing are the core's where they would be a
        stream of their own.
        """
        while True:
            runs = self._runs(core)
            idle = [run for on_core, run in runs if not on_core and {self.kinds[at] for at in run} <= SHAPE_ONLY]
            if not idle:
                return tuple(self._part(on_core, run) for on_core, run in runs)
            core = {*core, *(at for run in idle for at in run)}

    def _runs(self, core: Set[int]) -> list[tuple[bool, list[int]]]:
        operators = self._graph.operators
        made = {int(tensor) for operator in operators for tensor in operator.outputs}
        waiting, known = list(range(len(operators))), set[int]()
        runs: list[tuple[bool, list[int]]] = []
        on_core = False
        while waiting:
            run: list[int] = []
            for at in waiting:
                needs = {int(tensor) for tensor in operators[at].inputs if int(tensor) in made}
                if (at in core) == on_core and needs <= known:
                    run.append(at)
                    known |= {int(tensor) for tensor in operators[at].outputs}
            if run:
                runs.append((on_core, run))
                waiting = [at for at in waiting if at not in set(run)]
            elif not any({int(t) for t in operators[at].inputs if int(t) in made} <= known for at in waiting):
                raise DimmerError("its operators read what none has written yet: convert it again")
            on_core = not on_core
        return runs

    def _part(self, on_core: bool, run: list[int]) -> Cut:
        schema, graph = self._schema, self._graph
        operators = [copy.copy(graph.operators[at]) for at in run]
        written = list(dict.fromkeys(int(t) for operator in operators for t in operator.outputs))
        read = list(dict.fromkeys(int(t) for operator in operators for t in operator.inputs if t >= 0))
        elsewhere = {int(t) for at, other in enumerate(graph.operators) if at not in set(run) for t in other.inputs}
        made = {*self.inputs, *(int(t) for operator in graph.operators for t in operator.outputs)}
        inputs = [tensor for tensor in read if tensor in made and tensor not in written]
        outputs = [tensor for tensor in written if tensor in elsewhere or tensor in self.outputs]
        order = {tensor: number for number, tensor in enumerate(dict.fromkeys([*inputs, *read, *written]))}
        model, part = schema.ModelT(), schema.SubGraphT()
        model.version, model.operatorCodes = 3, list(self._model.operatorCodes)
        model.buffers, part.tensors = [schema.BufferT()], []
        for tensor in order:
            own = copy.copy(graph.tensors[tensor])
            buffer = self._model.buffers[own.buffer]
            own.buffer = 0
            if buffer.data is not None and len(buffer.data):
                own.buffer = len(model.buffers)
                model.buffers.append(buffer)
            part.tensors.append(own)
        for operator in operators:
            operator.inputs = [order[int(t)] if t >= 0 else -1 for t in operator.inputs]
            operator.outputs = [order[int(t)] for t in operator.outputs]
        part.operators = operators
        part.inputs, part.outputs = [order[t] for t in inputs], [order[t] for t in outputs]
        if on_core:
            self._without_batch(model, part)
        model.subgraphs = [part]
        return Cut(on_core, pack(model), tuple(inputs), tuple(outputs), tuple(run))

    def _without_batch(self, model: Any, part: Any) -> None:
        """Inputs of several rows as one row: the core's engine takes one inference at a time."""
        schema = self._schema
        ready = []
        for place, tensor in enumerate(part.inputs):
            shape = [int(size) for size in part.tensors[tensor].shape]
            if len(shape) < 2 or shape[0] == 1:
                continue
            row = copy.copy(part.tensors[tensor])
            row.shape, row.shapeSignature = [1, int(np.prod(shape))], None
            row.name = f"{_text(row.name)} as a row"
            wanted, buffer = schema.TensorT(), schema.BufferT()
            buffer.data = np.array(shape, np.int32).view(np.uint8)
            model.buffers.append(buffer)
            wanted.name, wanted.shape, wanted.type = f"{row.name}: shape", [len(shape)], schema.TensorType.INT32
            wanted.buffer = len(model.buffers) - 1
            part.tensors += [row, wanted]
            reshape = schema.OperatorT()
            reshape.opcodeIndex = self._reshape(model)
            reshape.inputs, reshape.outputs = [len(part.tensors) - 2, len(part.tensors) - 1], [tensor]
            reshape.builtinOptionsType = schema.BuiltinOptions.ReshapeOptions
            reshape.builtinOptions = schema.ReshapeOptionsT()
            reshape.builtinOptions.newShape = shape
            ready.append(reshape)
            part.inputs[place] = len(part.tensors) - 2
        part.operators = [*ready, *part.operators]

    def _reshape(self, model: Any) -> int:
        code = self._schema.BuiltinOperator.RESHAPE
        for number, known in enumerate(model.operatorCodes):
            if max(known.builtinCode, known.deprecatedBuiltinCode) == code:
                return number
        added = self._schema.OperatorCodeT()
        added.builtinCode = added.deprecatedBuiltinCode = code
        added.version = 1
        model.operatorCodes.append(added)
        return len(model.operatorCodes) - 1


@dataclass(frozen=True)
class Joined:
    """The values of a part's inputs, or of its outputs, in one run of bytes, as the interpreter and the core's engine
    take several: wide elements first.

    Attributes:
        offsets, sizes: of each, in the part's order; bytes.
    """

    offsets: tuple[int, ...]
    sizes: tuple[int, ...]

    def gathered(self, values: Sequence[Bytes]) -> Bytes:
        """uint8[N, bytes of all] of uint8[N, bytes] each."""
        whole = np.zeros((len(values[0]), sum(self.sizes)), np.uint8)
        for value, offset, size in zip(values, self.offsets, self.sizes, strict=True):
            whole[:, offset : offset + size] = value
        return whole

    def apart(self, whole: Bytes) -> list[Bytes]:
        """The values of `gathered`."""
        return [whole[:, offset : offset + size] for offset, size in zip(self.offsets, self.sizes, strict=True)]


def ends_of(content: bytes) -> tuple[Joined, Joined]:
    """Inputs and outputs of a `.tflite`.

    Raises:
        DimmerError: one has a type that no part can hand on.
    """
    splitter = Splitter(content)
    return splitter.joined(splitter.inputs), splitter.joined(splitter.outputs)


def _text(name: Any) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)
