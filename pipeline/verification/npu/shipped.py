# SPDX-License-Identifier: Apache-2.0
"""Command streams as they ship: read out of a linked firmware."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.names import names_of
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.npu.compiled import CompiledMode, End
from dimmer.firmware_gen.npu.kernel import ETHOS_U
from dimmer.firmware_gen.npu.payload import read_payload
from dimmer.firmware_gen.npu.scales import PACKED, PACKED_REGION


def shipped_modes(elf: Path, model: str, modes: Sequence[CompiledMode]) -> tuple[CompiledMode, ...]:
    """The modes of a firmware: payload, blob and places as its tables have them.

    Args:
        model: its name.
        modes: as Vela compiled them, for their names and the sizes of input and output.

    Raises:
        DimmerError: the firmware lacks the model's tables, or they point outside.
    """
    names = names_of(model)
    tables = _objects(elf, (names.table("weights"), names.table("ethos_u")))
    weights, records = tables[names.table("weights")], tables[names.table("ethos_u")]
    size = ETHOS_U.record_size
    if len(records) != size * len(modes):
        raise DimmerError(f"{elf}: {len(records) // size} command streams for {len(modes)} modes; build again")
    found = []
    for number, mode in enumerate(modes):
        values = struct.unpack_from(ETHOS_U.format, records, number * size)
        stream, length, blob, blob_length, _, scratch, input_at, output_at, packed, _, count, *regions = values
        constants_region, scratch_region, packed_region, packed_shift = regions
        packed_end = packed + PACKED * count
        if max(stream + length, blob + blob_length, packed_end) > len(weights) or packed_region != PACKED_REGION:
            raise DimmerError(f"{elf}: the record of {mode.name} points outside of the tables; build again")
        try:
            payload = read_payload(weights[stream : stream + length])
        except FirmwareGenError as error:
            raise DimmerError(f"{elf}: {mode.name}: {error}") from error
        if scratch < mode.scratch_size:
            raise DimmerError(f"{elf}: {mode.name} has {scratch:,} bytes of scratch, it needs {mode.scratch_size:,}")
        found.append(
            replace(
                mode,
                payload=payload,
                read_only=weights[blob : blob + blob_length],
                read_only_region=constants_region,
                scratch_region=scratch_region,
                input=End(scratch_region, input_at, mode.input.size),
                output=End(scratch_region, output_at, mode.output.size),
                packed=weights[packed:packed_end],
                packed_shift=packed_shift,
            )
        )
    return tuple(found)


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
