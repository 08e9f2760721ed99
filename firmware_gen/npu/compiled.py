# SPDX-License-Identifier: Apache-2.0
"""What Vela leaves of a mode (`--output-format raw`), every field checked; nothing in it is unpickled."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.npu.payload import Payload, read_payload
from dimmer.firmware_gen.npu.scales import PACKED_REGION, unpack

MOST_BYTES = 1 << 28
"""Of an array in a file: 256 MiB."""
MOST_ENDS = 32
"""Inputs, or outputs."""
SCRATCH_REGION_COUNT = 8
_SCALARS = ("weight_region", "scratch_region", "scratch_size", "scratch_fast_region", "scratch_fast_size")
_ENDS = ("shape", "elem_size", "region", "offset")


@dataclass(frozen=True, slots=True)
class End:
    """Input or output of a command stream: where it lies.

    Attributes:
        region: number of the base address.
        offset: bytes into the region.
        size: bytes.
    """

    region: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class CompiledMode:
    """One mode for the NPU, or a part of one.

    Attributes:
        name: of the mode or the part.
        payload: what the driver is given.
        read_only: weights, scales and other constants.
        read_only_region: number of their base address.
        scratch_region: of what it writes.
        scratch_size: bytes of it.
        inputs, outputs: in the file's order.
        packed: scale records of this mode alone, as flash has them (`scales.py`).
        packed_shift: that their shifts count from.
    """

    name: str
    payload: Payload
    read_only: bytes
    read_only_region: int
    scratch_region: int
    scratch_size: int
    inputs: tuple[End, ...]
    outputs: tuple[End, ...]
    packed: bytes = b""
    packed_shift: int = 0

    @property
    def unpacked(self) -> bytes:
        """What the core makes of `packed` before the stream runs, in PACKED_REGION."""
        return unpack(self.packed, self.packed_shift)

    @property
    def constants(self) -> dict[int, bytes]:
        """What the stream reads and never writes: region -> its bytes."""
        return {self.read_only_region: self.read_only} | ({PACKED_REGION: self.unpacked} if self.packed else {})


def read_compiled(name: str, path: Path) -> CompiledMode:
    """What Vela wrote of a mode.

    Raises:
        FirmwareGenError: the file is damaged, or of something that the runtime has no room for; one line.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {entry.removesuffix(".npy"): _array(archive, entry) for entry in archive.namelist()}
    except (OSError, zipfile.BadZipFile, zlib.error, ValueError, EOFError, KeyError, NotImplementedError) as error:
        raise FirmwareGenError(f"{path.name}: Vela's output cannot be read ({error}): compile {name} again") from error
    except (SyntaxError, RecursionError, MemoryError, OverflowError, RuntimeError) as error:
        raise FirmwareGenError(f"{path.name}: Vela's output is damaged ({type(error).__name__}): compile it") from error
    try:
        return _checked(name, arrays)
    except FirmwareGenError as error:
        raise FirmwareGenError(f"{path.name}: {error}") from error


def _array(archive: zipfile.ZipFile, entry: str) -> np.ndarray[Any, Any] | None:
    """One array; None for one of objects, which is not read."""
    size = archive.getinfo(entry).file_size
    if size > MOST_BYTES:
        raise ValueError(f"{entry} has {size:,} bytes")
    with archive.open(entry) as stream:
        version = np.lib.format.read_magic(stream)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in read_header:
            raise ValueError(f"{entry} has an unknown version")
        shape, _, dtype = read_header[version](stream)
        if dtype.hasobject:
            return None
        count = int(np.prod(shape, dtype=object)) if shape else 1
        if not 0 <= count * dtype.itemsize <= size:
            raise ValueError(f"{entry} is shorter than it says")
        data = stream.read(count * dtype.itemsize)
    if len(data) != count * dtype.itemsize:
        raise ValueError(f"{entry} is cut short")
    return np.frombuffer(data, dtype, count).reshape(shape) if dtype.itemsize else np.zeros(0, np.uint8)


def _checked(name: str, arrays: Mapping[str, np.ndarray[Any, Any] | None]) -> CompiledMode:
    numbers = {key: _number(arrays, key) for key in _SCALARS}
    if numbers["scratch_fast_size"]:
        raise FirmwareGenError(
            f"the memory mode sets {numbers['scratch_fast_size']:,} bytes of fast scratch apart, for which the runtime "
            "has no place: take memory_mode Shared_Sram or Sram_Only"
        )
    variables = arrays.get("variable_region")
    if variables is not None and variables.size:
        raise FirmwareGenError("the model keeps a state from one inference to the next: it cannot run on the NPU")
    if numbers["weight_region"] == numbers["scratch_region"]:
        raise FirmwareGenError("constants and scratch have one region: compile it again")
    if PACKED_REGION in (numbers["weight_region"], numbers["scratch_region"]):
        raise FirmwareGenError(f"region {PACKED_REGION} is the runtime's own: compile it with Vela 5")
    if not 0 < numbers["scratch_size"] <= MOST_BYTES:
        raise FirmwareGenError(f"scratch of {numbers['scratch_size']:,} bytes: compile it again")
    mode = CompiledMode(
        name=name,
        payload=read_payload(_bytes(arrays, "cmd_data")),
        read_only=_bytes(arrays, "weight_data"),
        read_only_region=numbers["weight_region"],
        scratch_region=numbers["scratch_region"],
        scratch_size=numbers["scratch_size"],
        inputs=_ends(arrays, "input"),
        outputs=_ends(arrays, "output"),
    )
    for what, end in (*(("input", end) for end in mode.inputs), *(("output", end) for end in mode.outputs)):
        if end.region != mode.scratch_region or end.offset + end.size > mode.scratch_size:
            raise FirmwareGenError(f"the {what} lies outside of the scratch: compile it again without separate regions")
    return mode


def _present(arrays: Mapping[str, np.ndarray[Any, Any] | None], key: str) -> np.ndarray[Any, Any]:
    found = arrays.get(key)
    if found is None:
        raise FirmwareGenError(f"Vela's output lacks {key}: compile it with Vela 5")
    return found


def _bytes(arrays: Mapping[str, np.ndarray[Any, Any] | None], key: str) -> bytes:
    found = _present(arrays, key)
    if found.dtype.kind not in "SVuib":
        raise FirmwareGenError(f"{key} holds {found.dtype}, no bytes: compile it with Vela 5")
    return found.tobytes()


def _integers(arrays: Mapping[str, np.ndarray[Any, Any] | None], key: str) -> list[int]:
    found = _present(arrays, key)
    # An empty list is written as floats.
    if found.size and found.dtype.kind not in "ui":
        raise FirmwareGenError(f"{key} holds {found.dtype}, no whole numbers: compile it with Vela 5")
    values = [int(value) for value in found.reshape(-1)[: 8 * MOST_ENDS]]
    if any(not 0 <= value <= MOST_BYTES for value in values):
        raise FirmwareGenError(f"{key} is {values}: compile it again")
    return values


def _number(arrays: Mapping[str, np.ndarray[Any, Any] | None], key: str) -> int:
    values = _integers(arrays, key)
    if len(values) != 1 or ("region" in key and values[0] >= SCRATCH_REGION_COUNT):
        raise FirmwareGenError(f"{key} is {values}: compile it with Vela 5")
    return values[0]


def _ends(arrays: Mapping[str, np.ndarray[Any, Any] | None], what: str) -> tuple[End, ...]:
    found = {key: _integers(arrays, f"{what}_{key}") for key in _ENDS}
    count = len(found["region"])
    counts = {count, len(found["offset"]), len(found["elem_size"])}
    if len(counts) > 1 or not 0 < count <= MOST_ENDS or len(found["shape"]) % count:
        raise FirmwareGenError(f"it tells of {what}s in {sorted(counts)} ways: compile it again")
    rank, ends = len(found["shape"]) // count, []
    for number in range(count):
        size = found["elem_size"][number]
        for dimension in found["shape"][number * rank : (number + 1) * rank]:
            size *= dimension
        if not 0 < size <= MOST_BYTES:
            raise FirmwareGenError(f"the {what} has {size:,} bytes: compile it again")
        ends.append(End(found["region"][number], found["offset"][number], size))
    return tuple(ends)
