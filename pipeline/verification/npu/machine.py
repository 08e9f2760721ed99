# SPDX-License-Identifier: Apache-2.0
"""The NPU: runs a command stream, for many inputs at once.

It is a function of what the stream says: no timing, and every operation ends before the next begins. What it does look
at is order: a stream that reads what a DMA brings waits for it first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.npu.compiled import CompiledMode
from dimmer.firmware_gen.npu.relink import RELINKED
from dimmer.firmware_gen.npu.stream import Registers, commands
from dimmer.pipeline.verification.npu.errors import NpuModelError
from dimmer.pipeline.verification.npu.memory import INTERNAL, Memory, Stretch, Transfer
from dimmer.pipeline.verification.npu.operations import convolve, elementwise, pool

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

PRODUCTS = RELINKED
"""That the model knows."""


def run(mode: CompiledMode, inputs: Bytes) -> Bytes:
    """What a mode's command stream makes of inputs.

    Args:
        inputs: uint8[N, bytes of an input], several one after the other.

    Returns:
        uint8[N, bytes of an output], the same.

    Raises:
        NpuModelError: the stream does what no stream for these NPUs does; one line.
    """
    if mode.payload.product not in PRODUCTS:
        raise NpuModelError(f"the model of the NPU knows {' and '.join(PRODUCTS)}, not {mode.payload.product}")
    memory = Memory(mode.constants, {mode.scratch_region: mode.scratch_size}, len(inputs))
    if inputs.shape[1] != sum(end.size for end in mode.inputs):
        raise NpuModelError(f"{inputs.shape[1]:,} bytes for inputs of {sum(end.size for end in mode.inputs):,}")
    at = 0
    for end in mode.inputs:
        memory.span(end.region, end.offset, end.size)[...] = inputs[:, at : at + end.size]
        at += end.size
    try:
        _interpret(mode, memory)
    except FirmwareGenError as error:
        raise NpuModelError(str(error)) from error
    except (IndexError, ValueError, OverflowError, ZeroDivisionError, MemoryError) as error:
        raise NpuModelError(f"a command makes no sense ({error}): compile the model again") from error
    return np.concatenate([memory.span(end.region, end.offset, end.size) for end in mode.outputs], axis=1)


def _interpret(mode: CompiledMode, memory: Memory) -> None:
    held = Registers()
    under_way = memory.under_way
    for command in commands(mode.payload.stream):
        if not command.starts:
            if command.value is not None and command.param and command.name.endswith(("_BASE", "_SRC", "_DST")):
                raise NpuModelError("an address of more than 32 bits")
            held.set(command)
        elif command.name == "DMA_START":
            region, to, size = held["DMA0_DST_REGION"], held["DMA0_DST"], held["DMA0_LEN"]
            source, at = held["DMA0_SRC_REGION"], held["DMA0_SRC"]
            memory.copy((source, at), (region, to), size)
            under_way.append(Transfer(Stretch(source, at, at + size), Stretch(region, to, to + size)))
        elif command.name == "DMA_WAIT":
            del under_way[: len(under_way) - command.param]
        elif command.name == "STOP":
            return
        elif command.name in ("CONV", "DEPTHWISE", "POOL", "ELEMENTWISE"):
            _refuse_hurry(command.name, held, memory)
            if command.name == "POOL":
                pool(memory, held, command.param)
            elif command.name == "ELEMENTWISE":
                elementwise(memory, held, command.param)
            else:
                convolve(memory, held, mode.payload.macs, command.name == "DEPTHWISE")
    raise NpuModelError("the command stream does not end with STOP: compile the model again")


def _refuse_hurry(operation: str, held: Registers, memory: Memory) -> None:
    """Raises NpuModelError where an operation reads constants that a DMA may still be writing; feature maps are
    `Memory`'s.
    """
    reads = []
    if operation in ("CONV", "DEPTHWISE"):
        for name in ("WEIGHT", "SCALE", "WEIGHT1", "SCALE1"):
            if f"{name}_BASE" in held:
                start = held[f"{name}_BASE"]
                reads.append(Stretch(held[f"{name.rstrip('1')}_REGION"], start, start + held[f"{name}_LENGTH"]))
    if held["ACTIVATION"] & 0x10:
        reads.append(Stretch(INTERNAL, 0, 1 << 32))
    for read in reads:
        if any(transfer.to.meets(read) for transfer in memory.under_way):
            raise NpuModelError(f"{operation} reads what a DMA may still be writing: a wait is missing")
