# SPDX-License-Identifier: Apache-2.0
"""What a `.tflite` holds, and what a firmware of it would take."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.emit.tables import Tables
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import tables_of
from dimmer.firmware_gen.graph.passes import prepare
from dimmer.firmware_gen.graph.types import Graph
from dimmer.firmware_gen.lower.operators import lower
from dimmer.firmware_gen.read.flatbuffer import RawModel, RawOperator, RawTensor
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.read.tflite import Refusal, read_bytes, survey_tflite
from dimmer.pipeline.inspection.facts import AliasFacts, ModelFacts, ModesFacts, OperatorFacts, Plan, TensorFacts
from dimmer.targets import Target

_TYPE_NAMES = {code: name.lower() for name, code in vars(schema.TensorType).items() if not name.startswith("_")}


def inspect_model(source: ModeSource, target: Target) -> ModelFacts:
    """A file by itself.

    Raises:
        FirmwareGenError: it cannot be read, or is damaged.
    """
    data = read_bytes(source.path)
    raw, graph, found = survey_tflite(data, source.path.name)
    refusals = list(found)
    tables, plan = None, None
    try:
        if graph is not None:
            refusals += _not_lowered(graph)
        if not refusals:
            tables = _tables([source], target)
            plan = _plan(tables, target)
    except FirmwareGenError as error:
        refusals.append(Refusal(None, str(error)))
    tensors = tuple(_tensor(index, tensor) for index, tensor in enumerate(raw.tensors))
    kernels = {} if tables is None else _kernels(tables)
    operators = tuple(
        _operator(raw, index, record, tensors, kernels, [r.message for r in refusals if r.operator == index])
        for index, record in enumerate(raw.operators)
    )
    read = {index for record in raw.operators for index in record.inputs if 0 <= index < len(tensors)}
    return ModelFacts(
        str(source.path),
        len(data),
        raw.inputs,
        raw.outputs,
        sum(operator.macs for operator in operators),
        sum(tensors[index].bytes for index in read),
        operators,
        tensors,
        (*(refusal.message for refusal in refusals if refusal.operator is None), *_too_large(source.path, plan)),
        plan,
    )


def inspect_modes(sources: Sequence[ModeSource], target: Target) -> ModesFacts:
    """Several files as modes of one network."""
    try:
        plan = _plan(_tables(sources, target), target)
    except FirmwareGenError as error:
        return ModesFacts(None, (str(error),))
    return ModesFacts(plan, _too_large(sources[0].path, plan))


def _tables(sources: Sequence[ModeSource], target: Target) -> Tables:
    return tables_of(sources, PolicyConfig(), None, target.scratch_limit, target.core, target.latency)


def _not_lowered(graph: Graph) -> list[Refusal]:
    """Operators that are outside of what their kernels can do."""
    network = prepare(graph)
    found = []
    for operator in (operator for position in network.positions for operator in position):
        try:
            lower(network.graph, operator, lambda index: network.storage[index])
        except FirmwareGenError as error:
            found.append(Refusal(operator.index, str(error)))
    return found


def _plan(tables: Tables, target: Target) -> Plan:
    constants = tables.pool.constants
    weights = sum(constant.size for constant in constants if constant.table == "weights")
    memory = target.memory
    return Plan(
        target.name,
        tables.mode_names,
        tables.memory.arena,
        tables.memory.lower_bound,
        tables.memory.arena_without_scratch,
        weights,
        sum(constant.size for constant in constants) - weights,
        tables.schedule_bytes,
        None if memory is None else (memory.arena or memory.ram).size,
        None if memory is None else memory.kept,
        tuple(
            AliasFacts(tables.mode_names[one.mode], one.name, one.within, one.offset, one.size)
            for one in tables.memory.buffers
            if one.within
        ),
        None if memory is None or memory.weights is None else memory.weights.size,
    )


def _too_large(path: Path, plan: Plan | None) -> tuple[str, ...]:
    """Where arena or model alone are more than the target has."""
    if plan is None:
        return ()
    several = len(plan.modes) > 1
    fewer = "fewer modes, a smaller network" if several else "a smaller network"
    scratch = plan.ram is not None and plan.arena_without_scratch <= plan.ram
    smaller = "a smaller --scratch-limit" if scratch else "a smaller input or network"
    needs = [
        ("an arena", plan.arena, plan.ram, "RAM", f"{smaller}, fewer modes" if several else smaller),
        ("weights and tables", plan.flash_needed, plan.flash, "flash", fewer),
    ]
    if plan.flash is not None and plan.weights_flash is not None:
        tables, room = plan.flash_needed - plan.weights, plan.flash - plan.weights_flash
        needs[1:] = [
            ("weights", plan.weights, plan.weights_flash, "flash for weights", fewer),
            ("tables", tables, room, "flash for what is no weight", fewer),
        ]
    return tuple(
        f"{path.name}: {what} of {needed:,} bytes, {plan.target} has {size:,} of {memory}; "
        f"try {advice} or another target"
        for what, needed, size, memory, advice in needs
        if size is not None and needed > size
    )


def _kernels(tables: Tables) -> dict[str, tuple[str, ...]]:
    """Layer -> the kernels of its steps."""
    found: dict[str, dict[str, None]] = {}
    for step in tables.steps:
        found.setdefault(step.layer, {})[tables.records[step.kernel].kernel.name] = None
    return {layer: tuple(names) for layer, names in found.items()}


def _tensor(index: int, raw: RawTensor) -> TensorFacts:
    single = raw.scales[0] if len(raw.scales) == 1 else None
    kind = "none" if not raw.scales else "per tensor" if single is not None else "per channel"
    zero_point = raw.zero_points[0] if single is not None and raw.zero_points else None
    size = 0 if raw.data is None else len(raw.data)
    name = _TYPE_NAMES.get(raw.type, f"type {raw.type}")
    # A scale that is no number is one of the refusals, and JSON has none.
    scale = single if single is not None and math.isfinite(single) else None
    printable = "".join(char if char.isprintable() else "?" for char in raw.name)
    return TensorFacts(index, printable, raw.shape, name, kind, scale, zero_point, raw.data is not None, size)


def _operator(
    raw: RawModel,
    index: int,
    record: RawOperator,
    tensors: Sequence[TensorFacts],
    kernels: Mapping[str, tuple[str, ...]],
    refusals: Sequence[str],
) -> OperatorFacts:
    inputs = [tensors[i] for i in record.inputs if 0 <= i < len(tensors)]
    outputs = [tensors[i] for i in record.outputs if 0 <= i < len(tensors)]
    constants = {tensor.index: tensor for tensor in inputs if tensor.constant}
    weights = next((tensor for tensor in constants.values() if tensor.quantisation != "none"), None)
    quantised = weights or (outputs[0] if outputs else None)
    name = outputs[0].name if outputs else "-"
    return OperatorFacts(
        index,
        record.kind,
        name,
        record.inputs,
        record.outputs,
        outputs[0].type if outputs else "-",
        quantised.quantisation if quantised else "none",
        _macs(record.kind, inputs, outputs),
        sum(tensor.bytes for tensor in constants.values()),
        kernels.get(name, ()),
        tuple(refusals),
    )


def _macs(kind: str, inputs: Sequence[TensorFacts], outputs: Sequence[TensorFacts]) -> int:
    """Of an operator with weights as its second input; what is not known counts nothing."""
    if len(inputs) < 2 or not outputs:
        return 0
    weights, made = inputs[1].shape, math.prod(outputs[0].shape)
    if any(size < 0 for size in (*weights, *outputs[0].shape)):
        return 0
    match kind, len(weights):
        case "CONV_2D", 4:
            return made * math.prod(weights[1:])
        case "DEPTHWISE_CONV_2D", 4:
            return made * weights[1] * weights[2]
        case "FULLY_CONNECTED", 2:
            return made * weights[1]
    return 0
