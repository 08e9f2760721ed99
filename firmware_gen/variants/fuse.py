# SPDX-License-Identifier: Apache-2.0
"""Steps that become one: a convolution, and the ADD that is all that reads its result; a QUANTIZE, and the convolutions
that read its result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dimmer.firmware_gen.kernels.fused import CONV_2D_ADD, ENTRY_CONV_2D, ENTRY_CONV_2D_ADD
from dimmer.firmware_gen.kernels.portable import ADD, CONV_2D, REQUANTIZE
from dimmer.firmware_gen.lower.steps import Buffer, Scratch, Step, Value
from dimmer.firmware_gen.memory.share import Block, without_unused


def fuse_sums(block: Block, runs: Callable[[Step], bool]) -> Block:
    """Fuses every ADD with the convolution right before it, where `runs` says that something can run the result.

    The sum needs no buffer for the convolution's result then, and may take the place of its other operand.
    """
    steps: list[Step] = []
    for step in block.steps:
        fused = _fused(steps[-1], step, block) if steps else None
        if fused is not None and runs(fused):
            steps[-1] = fused
        else:
            steps.append(step)
    return without_unused(replace(block, steps=tuple(steps)))[0]


def fuse_entries(block: Block, runs: Callable[[Step], bool]) -> Block:
    """Fuses every QUANTIZE whose readers are all convolutions with each of them, where `runs` says that something can
    run every result.

    The quantised tensor needs no buffer then.
    """
    for entry in block.steps:
        readers = [step for step in block.steps if entry.writes in step.reads]
        if entry.kernel != REQUANTIZE or entry.writes == block.output or not readers:
            continue
        fused = {id(reader): _with_entry(entry, reader) for reader in readers}
        if all(step is not None and runs(step) for step in fused.values()):
            steps = [fused.get(id(step), step) for step in block.steps if step is not entry]
            block = replace(block, steps=tuple(step for step in steps if step is not None))
    return without_unused(block)[0]


def _with_entry(entry: Step, conv: Step) -> Step | None:
    """Both as one step; None where the quantised tensor is not just the input of a convolution, where the step clamps,
    as one of a RELU does, and where it gives one code alone: a multiplier of 0 says that there is no QUANTIZE.
    """
    kernel = {CONV_2D: ENTRY_CONV_2D, CONV_2D_ADD: ENTRY_CONV_2D_ADD}.get(conv.kernel)
    fields, source = conv.fields, entry.fields
    others = [name for name, value in fields.items() if name != "input" and value == Buffer(entry.writes)]
    plain = not (source["input_unsigned"] or source["output_unsigned"] or source["multiplier"] == 0)
    plain &= (source["activation_min"], source["activation_max"]) == (-128, 127)
    if kernel is None or others or fields["input"] != Buffer(entry.writes) or not plain:
        return None
    values: dict[str, Value] = {**fields, "input": source["input"], "reserved3": 0}
    values |= {f"entry_{name}": source[name] for name in ("multiplier", "shift")}
    values |= {"entry_zero_point": source["input_zero_point"]}
    (read,) = entry.reads
    return replace(
        conv,
        kernel=kernel,
        values=tuple(values[item.name] for item in kernel.fields),
        reads=tuple(dict.fromkeys(read if buffer == entry.writes else buffer for buffer in conv.reads)),
        in_place=tuple(buffer for buffer in conv.in_place if buffer != read),
    )


def _fused(conv: Step, add: Step, block: Block) -> Step | None:
    """Both as one step; None where the result of the convolution is needed elsewhere, or is no plain operand."""
    if conv.kernel != CONV_2D or add.kernel != ADD or conv.writes == block.output:
        return None
    if sum(conv.writes in step.reads for step in block.steps) != 1 or len(add.in_place) != 2:
        return None
    fields = add.fields
    operands = [fields["input1"], fields["input2"]]
    if Buffer(conv.writes) not in operands:
        return None
    place = operands.index(Buffer(conv.writes)) + 1
    residual = add.in_place[0] if add.in_place[1] == conv.writes else add.in_place[1]
    values: dict[str, Value] = {**conv.fields, **{f"add_{name}": value for name, value in fields.items()}}
    # Its result has no place of its own: the record holds that of the scratch buffer, which nobody reads.
    values |= {"output": fields["output"], f"add_input{place}": Scratch(), "operand": place, "reserved2": 0}
    return Step(
        CONV_2D_ADD,
        tuple(values[item.name] for item in CONV_2D_ADD.fields),
        tuple(dict.fromkeys((*conv.reads, residual))),
        add.writes,
        () if residual in conv.reads else (residual,),
        conv.scratch_bytes,
        conv.macs,
        add.layer,
        conv.input_high,
    )
