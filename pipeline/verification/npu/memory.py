# SPDX-License-Identifier: Apache-2.0
"""The NPU's memory for many inferences at once, and feature maps in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dimmer.firmware_gen.npu.stream import Registers, signed16
from dimmer.pipeline.verification.npu.errors import NpuModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64 = NDArray[np.int64]
    Bytes = NDArray[np.uint8]

MOST_ELEMENTS = 1 << 24
"""Of a feature map: more than a microcontroller holds."""
INTERNAL = 0x103
"""Region of a DMA into the NPU's own memory: the tables of activations."""
TABLE_BYTES = 2048
_SIGNED = {1: np.int8, 2: np.int16, 4: np.int32}
_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32}


@dataclass(frozen=True)
class Format:
    """How elements of a feature map are stored.

    Attributes:
        size: bytes of an element.
        blocked: whether channels lie in blocks of 16 (NHCWB16).
    """

    size: int
    signed: bool
    blocked: bool

    @classmethod
    def of(cls, precision: int, size_at: int) -> Format:
        """As a precision register says it; the size's bits lie elsewhere for inputs and for outputs."""
        size = precision >> size_at & 3
        if size == 3 or precision >> 6 & 3 > 1:
            raise NpuModelError(f"the precision {precision:#06x} is none that the model of the NPU knows")
        return cls(1 << size, bool(precision & 1), bool(precision >> 6 & 1))


@dataclass(frozen=True)
class Stretch:
    """Bytes of a region, from `start` up to `end`."""

    region: int
    start: int
    end: int

    def meets(self, other: Stretch) -> bool:
        """Whether both have a byte in common."""
        return self.region == other.region and self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Transfer:
    """A DMA that has not been waited for: it may still read the one and write the other."""

    source: Stretch
    to: Stretch


class Memory:
    """Regions of many inferences: constants that they share, and what each writes.

    Attributes:
        count: inferences.
        under_way: transfers that nobody has waited for, the oldest first.
        tables: the tables of activations, uint8[TABLE_BYTES] each.
    """

    def __init__(self, constants: Mapping[int, bytes], writable: Mapping[int, int], count: int) -> None:
        self.count = count
        self.under_way: list[Transfer] = []
        self._regions: dict[int, Bytes] = {
            number: np.frombuffer(data, np.uint8).reshape(1, -1) for number, data in constants.items()
        }
        for number, size in writable.items():
            # What nobody has written is no zero: a stream that reads it gives other results every time.
            self._regions[number] = np.full((count, size), 0xA5, np.uint8)
        self.tables: Bytes = np.zeros(TABLE_BYTES, np.uint8)

    def region(self, number: int) -> Bytes:
        """uint8[inferences, bytes], or uint8[1, bytes] of constants."""
        if number not in self._regions:
            raise NpuModelError(f"a command names region {number}, which the model does not have")
        return self._regions[number]

    def span(self, number: int, start: int, size: int) -> Bytes:
        """uint8[inferences or 1, size]: some bytes of a region."""
        region = self.region(number)
        if start + size > region.shape[1]:
            raise NpuModelError(f"a command reaches byte {start + size:,} of {region.shape[1]:,} in region {number}")
        return region[:, start : start + size]

    def constant(self, number: int, start: int, size: int) -> bytes:
        """Some bytes that are the same in every inference."""
        found = self.span(number, start, size)
        if found.shape[0] > 1 and (found != found[:1]).any():
            raise NpuModelError("weights or scales differ from one inference to another: a command overwrites them")
        return bytes(found[0])

    def copy(self, source: tuple[int, int], to: tuple[int, int], size: int) -> None:
        """A DMA: (region, offset) to (region, offset)."""
        data = self.span(*source, size)
        if to[0] & 0x100:
            if to[0] != INTERNAL or size > TABLE_BYTES:
                raise NpuModelError(f"a DMA goes to region {to[0]:#x}, which the model of the NPU does not know")
            start = to[1] % TABLE_BYTES
            if start + size > TABLE_BYTES:
                raise NpuModelError("a DMA writes over the end of the tables")
            self.tables[start : start + size] = data[0]
            return
        self._writable(to[0])
        self.span(*to, size)[...] = data

    def read(self, map_: str, held: Registers, shape: tuple[int, int, int]) -> Int64:
        """A feature map without its zero point: int64[inferences or 1, H, W, C]."""
        form = Format.of(held[f"{map_}_PRECISION"], 2)
        places = addresses(map_, held, shape, form)
        region = self.region(held[f"{map_}_REGION"])
        _within(places, form.size, region.shape[1])
        read = _stretch(held[f"{map_}_REGION"], places, form.size)
        if any(transfer.to.meets(read) for transfer in self.under_way):
            raise NpuModelError(f"an operation reads its {map_}, which a DMA may still be writing: a wait is missing")
        raw = region[:, places[..., None] + np.arange(form.size)]
        kind = (_SIGNED if form.signed else _UNSIGNED)[form.size]
        zero = held[f"{map_}_ZERO_POINT"]
        # Of 32 bits none are taken off.
        return np.ascontiguousarray(raw).view(kind)[..., 0].astype(np.int64) - signed16(zero)

    def write(self, held: Registers, values: Int64) -> None:
        """The output feature map: int64[inferences or 1, H, W, C], in the range of its type."""
        form = Format.of(held["OFM_PRECISION"], 1)
        shape = (values.shape[1], values.shape[2], values.shape[3])
        places = addresses("OFM", held, shape, form)
        number = held["OFM_REGION"]
        region = self._writable(number)
        _within(places, form.size, region.shape[1])
        made = _stretch(number, places, form.size)
        if any(transfer.to.meets(made) or transfer.source.meets(made) for transfer in self.under_way):
            raise NpuModelError("an operation writes what a DMA may still be reading or writing: a wait is missing")
        raw = values.astype((_SIGNED if form.signed else _UNSIGNED)[form.size])
        parts = np.ascontiguousarray(raw[..., None]).view(np.uint8)
        region[:, places[..., None] + np.arange(form.size)] = parts

    def _writable(self, number: int) -> Bytes:
        region = self.region(number)
        if not region.flags.writeable:
            raise NpuModelError(f"a command writes to region {number}, which holds constants")
        return region


def addresses(map_: str, held: Registers, shape: tuple[int, int, int], form: Format) -> Int64:
    """Where the elements of a feature map lie, bytes into its region: int64[H, W, C].

    A map is made of four tiles: rows below HEIGHT0 (or, right of WIDTH0, below HEIGHT1) lie in other places.
    """
    height, width, depth = shape
    if not 0 < height * width * depth <= MOST_ELEMENTS:
        raise NpuModelError(f"a feature map of {height} x {width} x {depth}: more than the model of the NPU takes")
    y, x, channel = np.ogrid[:height, :width, :depth]
    low, low_right, right = (held[f"{map_}_{name}_M1"] + 1 for name in ("HEIGHT0", "HEIGHT1", "WIDTH0"))
    is_right = x >= right
    first = np.where(is_right, low_right, low)
    is_low = y >= first
    bases = np.array([held[f"{map_}_BASE{tile}"] for tile in range(4)], np.int64)
    start = bases[is_right + 2 * is_low]
    row, column = y - np.where(is_low, first, 0), x - np.where(is_right, right, 0)
    place: Int64 = start + row * held[f"{map_}_STRIDE_Y"] + column * held[f"{map_}_STRIDE_X"]
    if form.blocked:
        return np.asarray(place + channel // 16 * held[f"{map_}_STRIDE_C"] + channel % 16 * form.size)
    return np.asarray(place + channel * form.size)


def _stretch(region: int, places: Int64, size: int) -> Stretch:
    return Stretch(region, int(places.min()), int(places.max()) + size)


def _within(places: Int64, size: int, end: int) -> None:
    if places.max() + size > end:
        raise NpuModelError(f"a feature map reaches byte {places.max() + size:,} of {end:,}")
