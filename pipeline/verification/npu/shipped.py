# SPDX-License-Identifier: Apache-2.0
"""Command streams as they ship: read out of a linked firmware."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.names import names_of
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.npu.compiled import CompiledMode
from dimmer.firmware_gen.npu.kernel import ETHOS_U, FIRST, LATER, WHOLE
from dimmer.firmware_gen.npu.payload import read_payload
from dimmer.firmware_gen.npu.scales import PACKED, PACKED_REGION


def shipped_modes(
    elf: Path, model: str, modes: Sequence[Sequence[CompiledMode]]
) -> tuple[tuple[CompiledMode, ...], ...]:
    """The streams of each mode of a firmware: payload, blob and places as its tables have them.

    Args:
        model: its name.
        modes: the streams of each as Vela compiled them, for their names and the sizes of inputs and outputs.

    Raises:
        DimmerError: the firmware lacks the model's tables, or they point outside.
    """
    names = names_of(model)
    wanted = {what: names.table(what) for what in ("weights", "ethos_u", "steps", "blocks", "schedules")}
    objects = _objects(elf, tuple(wanted.values()))
    tables = {what: objects[name] for what, name in wanted.items()}
    positions = 2 * len(modes)
    if len(tables["schedules"]) != positions:
        raise DimmerError(f"{elf}: {len(tables['schedules']) // 2} modes, {len(modes)} were compiled; build again")
    found = []
    for number, streams in enumerate(modes):
        records = _records(elf, tables, number)
        if len(records) != len(streams):
            count = f"{len(records)} command streams, not {len(streams)}"
            raise DimmerError(f"{elf}: mode {number} has {count}; build again")
        kinds = [WHOLE, FIRST] if len(records) == 1 else [FIRST]
        found.append(
            tuple(
                _shipped(elf, tables, record, stream, kinds if at == 0 else [LATER])
                for at, (record, stream) in enumerate(zip(records, streams, strict=True))
            )
        )
    return tuple(found)


def _records(elf: Path, tables: Mapping[str, bytes], mode: int) -> list[int]:
    """The records of a mode's streams, as its steps name them; the kernel of streams is the first."""
    try:
        (block,) = struct.unpack_from("<H", tables["schedules"], 2 * mode)
        first, count = struct.unpack_from("<HH", tables["blocks"], 4 * block)
        steps = [struct.unpack_from("<HH", tables["steps"], 4 * at) for at in range(first, first + count)]
    except struct.error as error:
        raise DimmerError(f"{elf}: the schedule of mode {mode} points outside of the tables; build again") from error
    return [record for kernel, record in steps if kernel == 0]


def _shipped(
    elf: Path, tables: Mapping[str, bytes], record: int, mode: CompiledMode, places: Sequence[int]
) -> CompiledMode:
    weights, records, size = tables["weights"], tables["ethos_u"], ETHOS_U.record_size
    if (record + 1) * size > len(records):
        raise DimmerError(f"{elf}: {mode.name} has no record; build again")
    values = struct.unpack_from(ETHOS_U.format, records, record * size)
    stream, length, blob, blob_length, _, scratch, input_at, output_at, packed, _, count, *regions = values
    constants_region, scratch_region, packed_region, packed_shift, place, *_ = regions
    packed_end = packed + PACKED * count
    if max(stream + length, blob + blob_length, packed_end) > len(weights) or packed_region != PACKED_REGION:
        raise DimmerError(f"{elf}: the record of {mode.name} points outside of the tables; build again")
    try:
        payload = read_payload(weights[stream : stream + length])
    except FirmwareGenError as error:
        raise DimmerError(f"{elf}: {mode.name}: {error}") from error
    if scratch < mode.scratch_size:
        raise DimmerError(f"{elf}: {mode.name} has {scratch:,} bytes of scratch, it needs {mode.scratch_size:,}")
    if place not in places:
        raise DimmerError(f"{elf}: {mode.name} stands at another place of its mode; build again")
    return replace(
        mode,
        payload=payload,
        read_only=weights[blob : blob + blob_length],
        read_only_region=constants_region,
        scratch_region=scratch_region,
        inputs=(replace(mode.inputs[0], region=scratch_region, offset=input_at), *mode.inputs[1:]),
        outputs=(replace(mode.outputs[0], region=scratch_region, offset=output_at), *mode.outputs[1:]),
        packed=weights[packed:packed_end],
        packed_shift=packed_shift,
    )


def _objects(elf: Path, names: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        with elf.open("rb") as stream:
            file = ELFFile(stream)
            for section in file.iter_sections():
                if not isinstance(section, SymbolTableSection):
                    continue
                for symbol in section.iter_symbols():
                    if symbol.name in names and symbol["st_size"]:
                        home = file.get_section(symbol["st_shndx"])
                        start = symbol["st_value"] - home["sh_addr"]
                        found[symbol.name] = home.data()[start : start + symbol["st_size"]]
    except Exception as error:
        # Of a damaged file pyelftools raises whatever comes to it.
        raise DimmerError(f"{elf} cannot be read ({error}): remove it and build again") from error
    if missing := [name for name in names if name not in found]:
        raise DimmerError(f"{elf} has no {missing[0]}: it is of another model; build again")
    return found
