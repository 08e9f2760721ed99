# SPDX-License-Identifier: Apache-2.0
"""What was found, as tables on the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dimmer.pipeline.core.command import console
from dimmer.pipeline.inspection.facts import (
    CheckpointFacts,
    FileFacts,
    Inspection,
    ModelFacts,
    ModesFacts,
    OperatorFacts,
    Plan,
    TensorFacts,
)
from dimmer.toml import plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_NAME = 24
_VALUE = 90
_LINE = 10_000
_QUANTISED = {"per channel": " /channel", "per tensor": "", "none": ""}


def print_inspection(found: Inspection, tensors: bool) -> None:
    """Prints everything.

    Args:
        tensors: whether tensors of models are listed as well.
    """
    terminal = console()
    for model in found.models:
        terminal.print(_operators(model))
        if tensors:
            terminal.print(_tensors(model.tensors))
        _say(terminal, _about(model))
    if found.together is not None:
        _say(terminal, _together(found.together))
    for checkpoint in found.checkpoints:
        terminal.print(_checkpoint(checkpoint))
        _say(terminal, _record(checkpoint))
    for other in found.others:
        print_file(other)


def print_file(found: FileFacts) -> None:
    """Prints what is known of an image, a header, a bundle or a bill of materials."""
    width = max((len(name) for name, _ in found.facts), default=0) + 2
    lines = [f"{found.file}: {found.kind}, {found.bytes:,} bytes"]
    lines += [f"{name:<{width}}{text}" for name, text in found.facts]
    lines += [f"{'wrong':<{width}}{text}" for text in found.problems]
    lines += [f"{Path(found.file).name}: {'not as it should be' if found.problems else 'whole'}"]
    _say(console(), lines)


def _say(terminal: Console, lines: Iterable[str]) -> None:
    """Prints lines of which files tell parts: what is in a file makes no line of its own, and tells no terminal what to
    do.
    """
    for line in lines:
        terminal.print(plain(line, _LINE), highlight=False, soft_wrap=True, markup=False)


def _table(title: str, *headings: str, right: Sequence[str] = ()) -> Table:
    from rich.table import Table

    table = Table(title=plain(title), title_justify="left", title_style="bold")
    for heading in headings:
        table.add_column(heading, justify="right" if heading in right else "left", overflow="fold")
    return table


def _operators(model: ModelFacts) -> Table:

    right = ("#", "MACs", "bytes")
    headings = ("#", "operator", "output", "shape", "type", "MACs", "bytes", "kernel")
    table = _table(f"{model.file}, {model.bytes:,} bytes", *headings, right=right)
    for operator in model.operators:
        kernel = "refused" if operator.refusals else ", ".join(_short_kernel(name) for name in operator.kernels) or "-"
        row = (
            str(operator.index),
            operator.kind,
            _short(operator.output),
            _shapes(model, operator),
            operator.type + _QUANTISED[operator.quantisation],
            f"{operator.macs:,}" if operator.macs else "-",
            f"{operator.parameter_bytes:,}" if operator.parameter_bytes else "-",
            kernel,
        )
        table.add_row(*map(plain, row))
    return table


def _tensors(tensors: Sequence[TensorFacts]) -> Table:

    headings = ("#", "tensor", "shape", "type", "quantised", "scale", "zero point", "bytes")
    table = _table("", *headings, right=("#", "scale", "zero point", "bytes"))
    for tensor in tensors:
        scale = "-" if tensor.scale is None else f"{tensor.scale:.6g}"
        zero_point = "-" if tensor.zero_point is None else str(tensor.zero_point)
        size = f"{tensor.bytes:,}" if tensor.constant else "-"
        row = (str(tensor.index), _short(tensor.name), _shape(tensor.shape), tensor.type, tensor.quantisation)
        table.add_row(*map(plain, (*row, scale, zero_point, size)))
    return table


def _about(model: ModelFacts) -> Iterator[str]:
    for what, indexes in (("input", model.inputs), ("output", model.outputs)):
        for tensor in (model.tensors[index] for index in indexes if 0 <= index < len(model.tensors)):
            scale = "" if tensor.scale is None else f", scale {tensor.scale:.6g}, zero point {tensor.zero_point}"
            yield f"{what:<11}{tensor.name}: {tensor.type}[{_shape(tensor.shape, ',')}]{scale}"
    yield f"{'holds':<11}{model.macs:,} MACs, {model.parameter_bytes:,} bytes of parameters"
    yield from _plan(model.plan)
    name = Path(model.file).name
    refusals = model.all_refusals
    for text in refusals:
        yield f"{'refused':<11}{text}"
    bounded = model.plan is not None and model.plan.ram is not None
    also = ", where code and stack fit beside it: dimmer firmware reckons with them before it compiles"
    can = f"{name}: a firmware can be made of it{also if bounded else ''}"
    yield f"{name}: no firmware can be made of it" if refusals else can


def _plan(plan: Plan | None) -> Iterator[str]:
    if plan is None:
        return
    yield f"{plan.target}:"
    yield (
        f"{'  arena':<11}{plan.arena:,} bytes, lower bound {plan.lower_bound:,}; "
        f"without scratch {plan.arena_without_scratch:,}{_of(plan.ram, 'RAM')}"
    )
    yield (
        f"{'  flash':<11}{plan.flash_needed:,} bytes and the code: weights {plan.weights:,}, biases and multipliers "
        f"{plan.parameters:,}, tables {plan.tables:,}{_of(plan.flash, 'flash')}"
    )
    if plan.aliases:
        alone = len(plan.modes) == 1
        yield f"{'  aliased':<11}{sum(one.bytes for one in plan.aliases):,} bytes that no copy is made of:"
        for one in plan.aliases:
            mode = "" if alone else f"{one.mode}: "
            yield f"{'':<11}{mode}{one.tensor} lies in {one.within}, {one.bytes:,} bytes at {one.offset:,} of the arena"


def _of(size: int | None, memory: str) -> str:
    return "" if size is None else f"; the target has {size:,} of {memory}"


def _together(together: ModesFacts) -> Iterator[str]:
    if together.plan is not None:
        yield f"as {len(together.plan.modes)} modes of one network, {', '.join(together.plan.modes)}, on"
        yield from _plan(together.plan)
    for text in together.refusals:
        yield f"not modes of one network: {text}" if together.plan is None else f"{'refused':<11}{text}"


def _checkpoint(checkpoint: CheckpointFacts) -> Table:

    title = f"{checkpoint.file}, {checkpoint.bytes:,} bytes, {checkpoint.values:,} values"
    table = _table(title, "tensor", "shape", "type", "bytes", right=("bytes",))
    for tensor in checkpoint.tensors:
        table.add_row(plain(tensor.name), plain(_shape(tensor.shape)) or "-", plain(tensor.type), f"{tensor.bytes:,}")
    return table


def _record(checkpoint: CheckpointFacts) -> Iterator[str]:
    if isinstance(checkpoint.record, Mapping):
        for key, value in checkpoint.record.items():
            text = json.dumps(value).strip('"')
            yield f"{key:<18}{text if len(text) <= _VALUE else text[:_VALUE] + ' ...'}"


def _shapes(model: ModelFacts, operator: OperatorFacts) -> str:
    ends = []
    for indexes in (operator.inputs[:1], operator.outputs[:1]):
        shapes = [model.tensors[index].shape for index in indexes if 0 <= index < len(model.tensors)]
        # Without the batch of 1.
        ends += [_shape(shape[1:] if len(shape) > 1 and shape[0] == 1 else shape) or "-" for shape in shapes]
    return " > ".join(ends)


def _shape(shape: Sequence[int], between: str = "x") -> str:
    return between.join(map(str, shape))


def _short(name: str) -> str:
    return name if len(name) <= _NAME else f"...{name[3 - _NAME :]}"


def _short_kernel(name: str) -> str:
    return name.removeprefix("dimmer_")
