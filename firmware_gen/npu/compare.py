# SPDX-License-Identifier: Apache-2.0
"""Whether two command streams do the same: the same operations with the same registers on the same constants.

It looks at every word of both, which running them does not: a wait, a share of the NPU's memory or the shape of a block
decides whether silicon computes what it should, and not what is computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.npu.compiled import CompiledMode
from dimmer.firmware_gen.npu.exact import Dense, corrected
from dimmer.firmware_gen.npu.stream import Registers, bytes_of_map, commands

_READS = ("WEIGHT", "SCALE", "WEIGHT1", "SCALE1")
_Fetched = tuple[int, int, bytes]
_BLOCKS = ("CONV", "DEPTHWISE", "POOL", "ELEMENTWISE")
_ROUNDING = 0xC000


@dataclass(frozen=True)
class Work:
    """What an operation does.

    Attributes:
        registers: what it finds in them, but where constants lie and how it rounds.
        constants: what it reads of them.
        waits: for operations before it, in their order.
        fetched: (region, offset, bytes) of each DMA of constants since the operation before it.
        under_way: DMAs that it does not wait for.
        most: DMAs under way at once since the operation before it.
        split: whether one of the DMAs was waited for though another of them followed.
    """

    operation: str
    param: int
    registers: dict[str, int]
    constants: dict[str, bytes]
    rounding: int
    waits: tuple[int, ...]
    fetched: tuple[_Fetched, ...]
    under_way: int
    most: int
    split: bool


def difference(one: CompiledMode, other: CompiledMode, dense: Sequence[Dense] = ()) -> str | None:
    """The first thing that two streams do differently, in words; None where there is none.

    Args:
        one: as Vela compiled it.
        other: relinked.
        dense: FULLY_CONNECTED layers, whose scales and rounding are the reference's in the second.
    """
    if (one.payload.release, one.payload.config, one.payload.identity) != (
        other.payload.release,
        other.payload.config,
        other.payload.identity,
    ):
        return "the header names another NPU"
    if (one.scratch_size, one.inputs, one.outputs) != (other.scratch_size, other.inputs, other.outputs):
        return "scratch, input or output lie elsewhere"
    try:
        for number, (a, b) in enumerate(zip_longest(_work(one), _work(other))):
            if a is None or b is None:
                return f"there are more than {number} operations in one of them alone"
            if found := _differ(a, b, dense):
                return f"operation {number} ({a.operation}): {found}"
    except FirmwareGenError as error:
        return str(error)
    return None


def _differ(a: Work, b: Work, dense: Sequence[Dense]) -> str | None:
    if (a.operation, a.param) != (b.operation, b.param):
        return f"{b.operation} {b.param} in place of {a.operation} {a.param}"
    if (
        a.waits != b.waits
        or b.most > a.most
        or (a.under_way != b.under_way and not (b.split and b.under_way < a.under_way))
    ):
        return "it waits for something else"
    for region, to, content in b.fetched:
        if not any(
            there == region and start <= to and content == whole[to - start : to - start + len(content)]
            for there, start, whole in a.fetched
        ):
            return f"a DMA brings other bytes to {to} of region {region}"
    for name in sorted(a.registers.keys() | b.registers.keys()):
        if a.registers.get(name) != b.registers.get(name):
            return f"register {name} is {b.registers.get(name)} in place of {a.registers.get(name)}"
    cores = 1 + a.registers.get("PARALLEL_MODE", 0)
    exact = False
    for name in sorted(a.constants.keys() | b.constants.keys()):
        ours, theirs = b.constants.get(name), a.constants.get(name)
        if name.startswith("SCALE") and theirs and dense and not _kernel_of(a):
            change = corrected(theirs, dense, cores)
            exact = exact or change is not None
            theirs = change or theirs
        if ours != theirs:
            return f"it reads other {name.lower()} bytes"
    if b.rounding != (2 if exact else a.rounding):
        return f"it rounds in way {b.rounding} in place of {a.rounding}"
    return None


def _kernel_of(work: Work) -> int:
    return work.registers.get("KERNEL_HEIGHT_M1", 0) + work.registers.get("KERNEL_WIDTH_M1", 0)


def _work(mode: CompiledMode) -> Iterator[Work]:
    held, waits = Registers(), list[int]()
    fetched: list[_Fetched] = []
    new, under_way, most, split = 0, 0, 0, False
    for command in commands(mode.payload.stream):
        if not command.starts:
            held.set(command)
        elif command.name == "DMA_START" and held["DMA0_SRC_REGION"] == mode.read_only_region:
            if command.param or held["DMA0_SRC#"] or held["DMA0_DST#"] or held["DMA0_LEN#"]:
                raise FirmwareGenError("a DMA has addresses of more than 32 bits, or two dimensions")
            start, size = held["DMA0_SRC"], held["DMA0_LEN"]
            if start + size > len(mode.read_only) or not size:
                raise FirmwareGenError("a DMA reads nothing, or behind the end of the constants")
            split = split or (new > 0 and not under_way)
            fetched.insert(0, (held["DMA0_DST_REGION"], held["DMA0_DST"], mode.read_only[start : start + size]))
            new, under_way = new + 1, under_way + 1
            most = max(most, under_way)
        elif command.name == "DMA_WAIT":
            if command.param > under_way:
                raise FirmwareGenError("a wait leaves transfers under way that nobody began")
            under_way = command.param
        elif command.name == "KERNEL_WAIT":
            waits.append(command.param)
        else:
            flow = (tuple(waits), tuple(fetched[:new]), under_way, most, split)
            yield _one(command.name, command.param, held, fetched, mode, flow)
            waits, new, most, split = [], 0, under_way, False


def _one(
    name: str,
    param: int,
    held: Registers,
    fetched: Sequence[_Fetched],
    mode: CompiledMode,
    flow: tuple[tuple[int, ...], tuple[_Fetched, ...], int, int, bool],
) -> Work:
    registers = {key: value for key, value in held.items() if not key.startswith("DMA0_") or name == "DMA_START"}
    constants: dict[str, bytes] = {}
    for part in _READS:
        region = f"{part.rstrip('1')}_REGION"
        if name not in ("CONV", "DEPTHWISE"):
            registers.pop(f"{part}_BASE", None)
        elif f"{part}_BASE" in held:
            content = _read(held[region], held[f"{part}_BASE"], held[f"{part}_LENGTH"], fetched, mode)
            if content is not None:
                constants[part] = content
                registers.pop(f"{part}_BASE")
    for part in ("WEIGHT", "SCALE"):
        if part in constants or name not in ("CONV", "DEPTHWISE"):
            registers.pop(f"{part}_REGION", None)
    for part in ("IFM", "IFM2"):
        if held.get(f"{part}_REGION") == mode.read_only_region:
            base = registers.pop(f"{part}_BASE0", 0)
            if (name == "ELEMENTWISE" and not (part == "IFM2" and _is_scalar(held))) or (
                part == "IFM" and name in _BLOCKS
            ):
                end = base + bytes_of_map(part, held)
                if end > len(mode.read_only):
                    raise FirmwareGenError(f"{name} reads its {part} behind the end of the constants")
                constants[part] = mode.read_only[base:end]
    if held.get("ACTIVATION", 0) & 0x10:
        constants["tables"] = b"".join(content for region, _, content in fetched if region & 0x100)
    precision = registers.pop("OFM_PRECISION", 0)
    if name not in _BLOCKS:
        return Work(name, param, registers, {}, 0, *flow)
    registers["OFM_PRECISION"] = precision & ~_ROUNDING
    return Work(name, param, registers, constants, precision >> 14, *flow)


def _is_scalar(held: Registers) -> bool:
    """Whether the second operand is a number in a register."""
    return bool(held.get("IFM2_BROADCAST", 0) >> 7 & 1)


def _read(region: int, base: int, size: int, fetched: Sequence[_Fetched], mode: CompiledMode) -> bytes | None:
    """Constants that an operation reads, directly or as a DMA brought them; None where they are none."""
    if not size:
        return b""
    if region in mode.constants:
        return mode.constants[region][base : base + size]
    for there, to, content in fetched:
        if there == region and to <= base and base + size <= to + len(content):
            return content[base - to : base - to + size]
    return None
