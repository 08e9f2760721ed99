# SPDX-License-Identifier: Apache-2.0
"""A float `.tflite` run on samples: what its tensors hold, and what its outputs are when some are rounded to int8."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dimmer.calibration.ranges import Affine, Histogram
from dimmer.pipeline.oracle.tflite import pack, unpack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

Sample = Sequence["Floats"]
"""One array for each input of a network, without a batch or with one of 1."""

_SAME_SCALE = {
    *("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "MAX_POOL_2D", "AVERAGE_POOL_2D", "PAD", "PADV2", "MIRROR_PAD"),
    *("SLICE", "STRIDED_SLICE", "SPLIT", "SPLIT_V", "UNPACK", "PACK", "CONCATENATION", "GATHER", "RESIZE_BILINEAR"),
    *("RESIZE_NEAREST_NEIGHBOR", "MAXIMUM", "MINIMUM", "SPACE_TO_DEPTH", "DEPTH_TO_SPACE", "SPACE_TO_BATCH_ND"),
    *("BATCH_TO_SPACE_ND", "TILE", "BROADCAST_TO", "REVERSE_V2", "SELECT", "SELECT_V2", "REDUCE_MAX", "REDUCE_MIN"),
}
"""Operators whose int8 inputs and outputs have one scale and zero point."""
_OWN_SCALE = {"SOFTMAX", "LOG_SOFTMAX", "LOGISTIC", "TANH", "L2_NORMALIZATION"}
"""Operators that say their output's scale and zero point themselves."""


@dataclass(frozen=True)
class Group:
    """Tensors that get one range.

    Attributes:
        tensors: their places in the file.
        names: their names, in the same order.
        fixed: whether an operator says their scale itself.
    """

    tensors: tuple[int, ...]
    names: tuple[str, ...]
    fixed: bool


class FloatNetwork:
    """A float `.tflite` with an activation's every group of tensors.

    Attributes:
        groups: in the order of execution.
        elements: of all activations together.
    """

    def __init__(self, content: bytes) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self.content = content
        self._model = unpack(content)
        graph = self._model.subgraphs[0]
        kinds = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
        codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in self._model.operatorCodes]
        self._float = {i for i, tensor in enumerate(graph.tensors) if tensor.type == schema.TensorType.FLOAT32}
        order = [int(index) for index in graph.inputs]
        lead: dict[int, int] = {index: index for index in order}

        def first(index: int) -> int:
            while lead[index] != index:
                index = lead[index]
            return index

        own: set[int] = set()
        for operator in graph.operators:
            kind = kinds.get(codes[operator.opcodeIndex], "")
            made = [int(index) for index in operator.outputs if int(index) in self._float]
            for index in made:
                order.append(index)
                lead[index] = index
            own.update(made if kind in _OWN_SCALE else ())
            read = [int(index) for index in operator.inputs if int(index) in lead]
            if kind in _SAME_SCALE and made and read:
                for index in (*read[1:], *made):
                    lead[first(index)] = first(read[0])
        members: dict[int, list[int]] = {}
        for index in order:
            if index in self._float:
                members.setdefault(first(index), []).append(index)
        self.groups = tuple(
            Group(tuple(held), tuple(graph.tensors[i].name.decode() for i in held), bool(own.intersection(held)))
            for held in members.values()
        )
        self.elements = sum(int(np.prod(graph.tensors[index].shape)) for index in order)

    def histograms(self, samples: Sequence[Sample], done: Callable[[float], None]) -> list[Histogram]:
        """What each group's tensors hold over the samples, seen twice: for the bounds, then for the counts."""
        interpreter = interpreter_of(self.content, keep=True)
        low, high = [np.inf] * len(self.groups), [-np.inf] * len(self.groups)
        for number, sample in enumerate(samples):
            run(interpreter, sample)
            for at, group in enumerate(self.groups):
                for index in group.tensors:
                    values = interpreter.get_tensor(index)
                    low[at] = min(low[at], float(values.min()))
                    high[at] = max(high[at], float(values.max()))
            done(0.5 * number / len(samples))
        found: list[Histogram | None] = [None] * len(self.groups)
        for number, sample in enumerate(samples):
            run(interpreter, sample)
            for at, group in enumerate(self.groups):
                for index in group.tensors:
                    one = Histogram.of(interpreter.get_tensor(index), low[at], high[at])
                    before = found[at]
                    found[at] = one if before is None else before.merged(one)
            done(0.5 + 0.5 * number / len(samples))
        return [histogram for histogram in found if histogram is not None]

    def outputs(self, samples: Iterable[Sample]) -> list[list[Floats]]:
        """The float outputs of each sample."""
        interpreter = interpreter_of(self.content)
        return [run(interpreter, sample) for sample in samples]

    def rounded(self, group: Group) -> Callable[[Affine, Sequence[Sample]], list[list[Floats]]]:
        """What gives the outputs with the tensors of one group rounded to int8, all others being float."""
        from ai_edge_litert import schema_py_generated as schema

        model = copy.copy(self._model)
        graph = copy.copy(model.subgraphs[0])
        model.subgraphs = [graph]
        model.operatorCodes, model.buffers = [*model.operatorCodes], model.buffers
        graph.tensors = [*graph.tensors]
        quantised = []
        steps: dict[int, list[Any]] = {}
        instead: dict[int, int] = {}

        def code(name: str) -> int:
            made = schema.OperatorCodeT()
            made.builtinCode = getattr(schema.BuiltinOperator, name)
            made.deprecatedBuiltinCode, made.version = min(made.builtinCode, 127), 2
            model.operatorCodes.append(made)
            return len(model.operatorCodes) - 1

        down, up = code("QUANTIZE"), code("DEQUANTIZE")
        for index in group.tensors:
            codes, values = copy.copy(graph.tensors[index]), copy.copy(graph.tensors[index])
            codes.type, codes.buffer, codes.name = schema.TensorType.INT8, 0, codes.name + b"/codes"
            codes.quantization = schema.QuantizationParametersT()
            values.buffer, values.name = 0, values.name + b"/rounded"
            quantised.append(codes)
            graph.tensors += [codes, values]
            instead[index] = len(graph.tensors) - 1
            pair = []
            for opcode, read, made in ((down, index, instead[index] - 1), (up, instead[index] - 1, instead[index])):
                operator = schema.OperatorT()
                operator.opcodeIndex, operator.inputs, operator.outputs = opcode, [read], [made]
                pair.append(operator)
            steps[index] = pair
        operators = [step for index in group.tensors if index in graph.inputs for step in steps[index]]
        for operator in graph.operators:
            changed = copy.copy(operator)
            changed.inputs = [instead.get(int(index), int(index)) for index in operator.inputs]
            operators.append(changed)
            operators += [step for index in operator.outputs for step in steps.get(int(index), ())]
        graph.operators = operators
        graph.outputs = [instead.get(int(index), int(index)) for index in graph.outputs]

        def outputs(grid: Affine, samples: Sequence[Sample]) -> list[list[Floats]]:
            for tensor in quantised:
                tensor.quantization.scale, tensor.quantization.zeroPoint = [grid.scale], [grid.zero_point]
            interpreter = interpreter_of(pack(model))
            return [run(interpreter, sample) for sample in samples]

        return outputs


def interpreter_of(content: bytes, *, keep: bool = False, reference: bool = False) -> Any:
    """The stock interpreter, its memory set out.

    Args:
        keep: every tensor can be read after a run.
        reference: with the reference kernels, which are the oracle; else with those that are fast.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kernels = OpResolverType.BUILTIN_REF if reference else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    with warnings.catch_warnings():
        # It warns that keeping all tensors takes memory.
        warnings.simplefilter("ignore", UserWarning)
        interpreter = Interpreter(
            model_content=content, experimental_preserve_all_tensors=keep, experimental_op_resolver_type=kernels
        )
    interpreter.allocate_tensors()
    return interpreter


def run(interpreter: Any, sample: Sample) -> list[Floats]:
    """The outputs of an inference."""
    for source, values in zip(interpreter.get_input_details(), sample, strict=True):
        interpreter.set_tensor(source["index"], values.reshape(source["shape"]).astype(source["dtype"], copy=False))
    interpreter.invoke()
    return [interpreter.get_tensor(result["index"]) for result in interpreter.get_output_details()]
