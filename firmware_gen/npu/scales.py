# SPDX-License-Identifier: Apache-2.0
"""Scale records packed: 7 bytes of flash for the 10 that the NPU reads of each channel.

Of a record's 80 bits most never vary: a scale lies in [2^30, 2^31), biases of 40 bits have 22, and the shifts of a mode
lie close together. The core unpacks the records of a mode, exactly, before its stream runs
(runtime/npu/dimmer_ethos_u.c); what fits no packed record stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

RECORD = 10
"""Bytes of a channel's bias (40 bits), scale (32) and shift (6)."""
PACKED = 7
"""Bytes of a packed one: from the lowest bit 30 of the scale without its highest, 22 of the bias, 4 of the shift."""
PACKED_REGION = 3
"""Number of the unpacked records' base address, which Vela gives to nothing."""
MOST_PACKED = 0xFFFF
"""Channels of all modes that are packed at most; those beyond lie in the blob as Vela wrote them."""
_SCALE_BITS, _BIAS_BITS, _NO_SCALE = 30, 22, 15
_CHANNELS = 8


def packable(records: bytes) -> bool:
    """Whether records can be packed, but for their shifts. Of 8 channels each, they end at a multiple of 16 bytes."""
    if not records or len(records) % (RECORD * _CHANNELS):
        return False
    return all(_fits(*_split(records, at)) for at in range(0, len(records), RECORD))


def first_shift(runs: Sequence[bytes]) -> int:
    """The shift that packed ones count from: the one that lets most runs be packed."""
    lowest = sorted({min(shifts) for run in runs if (shifts := _shifts(run))})
    return max(lowest, key=lambda first: sum(_near(run, first) for run in runs), default=0)


def fitting(runs: Sequence[bytes], first: int) -> list[bytes]:
    """The runs whose shifts can be counted from `first`."""
    return [run for run in runs if _near(run, first)]


def pack(records: bytes, first: int) -> bytes:
    """Packed records; they are `packable`, and fit `first`."""
    found = bytearray()
    for at in range(0, len(records), RECORD):
        bias, scale, shift = _split(records, at)
        code = shift - first if scale else _NO_SCALE
        word = scale & (1 << _SCALE_BITS) - 1 | (bias & (1 << _BIAS_BITS) - 1) << _SCALE_BITS
        found += (word | code << _SCALE_BITS + _BIAS_BITS).to_bytes(PACKED, "little")
    return bytes(found)


def unpack(packed: bytes, first: int) -> bytes:
    """What the core makes of packed records.

    Example:
        >>> record = (-5).to_bytes(5, "little", signed=True) + (1 << 30).to_bytes(4, "little") + bytes([41])
        >>> unpack(pack(record, 40), 40) == record
        True
    """
    found = bytearray()
    for at in range(0, len(packed), PACKED):
        word = int.from_bytes(packed[at : at + PACKED], "little")
        bias = word >> _SCALE_BITS & (1 << _BIAS_BITS) - 1
        bias -= bias >> _BIAS_BITS - 1 << _BIAS_BITS
        code = word >> _SCALE_BITS + _BIAS_BITS
        scale, shift = (0, 0) if code == _NO_SCALE else (word & (1 << _SCALE_BITS) - 1 | 1 << _SCALE_BITS, first + code)
        found += bias.to_bytes(5, "little", signed=True) + scale.to_bytes(4, "little") + bytes([shift])
    return bytes(found)


def _split(records: bytes, at: int) -> tuple[int, int, int]:
    bias = int.from_bytes(records[at : at + 5], "little", signed=True)
    return bias, int.from_bytes(records[at + 5 : at + 9], "little"), records[at + 9]


def _fits(bias: int, scale: int, shift: int) -> bool:
    small = -(1 << _BIAS_BITS - 1) <= bias < 1 << _BIAS_BITS - 1
    return small and (scale >> _SCALE_BITS == 1 if scale else not shift)


def _shifts(records: bytes) -> list[int]:
    return [shift for at in range(0, len(records), RECORD) for _, scale, shift in [_split(records, at)] if scale]


def _near(records: bytes, first: int) -> bool:
    return all(first <= shift < first + _NO_SCALE for shift in _shifts(records))


@dataclass(frozen=True)
class Packing:
    """Scale records that are packed.

    Attributes:
        content: of all streams, as flash has it.
        first: shift that those of it count from.
        starts: of each stream's run, in records.
        counts: records of each stream's run.
        offsets: of each stream: records -> where they lie once its run is unpacked.
        pieces: runs of it with the streams that read them.
    """

    content: bytes
    first: int
    starts: tuple[int, ...]
    counts: tuple[int, ...]
    offsets: tuple[Mapping[bytes, int], ...]
    pieces: tuple[tuple[int, int, tuple[int, ...]], ...]

    @classmethod
    def of(cls, readers: Mapping[bytes, Sequence[int]], streams: int) -> Packing:
        """Those of some records that can be packed; what each stream has alone, with what it shares with the one behind
        it in between.
        """
        first = first_shift(list(readers))
        groups: dict[tuple[int, ...], list[bytes]] = {}
        for run in fitting(list(readers), first):
            groups.setdefault(tuple(readers[run]), []).append(run)
        order = [group for at in range(streams) for group in ((at,), (at, at + 1)) if group in groups]
        places, pieces, end = dict[bytes, int](), list[tuple[int, int, tuple[int, ...]]](), 0
        for group in order:
            start = end
            for run in groups[group]:
                if end + len(run) <= MOST_PACKED * RECORD:
                    places[run] = end
                    end += len(run)
            pieces.append((start // RECORD * PACKED, (end - start) // RECORD * PACKED, group))
        starts, counts, offsets = list[int](), list[int](), list[Mapping[bytes, int]]()
        for at in range(streams):
            own = {run: place for run, place in places.items() if at in readers[run]}
            begin = min(own.values(), default=0)
            starts.append(begin // RECORD)
            counts.append((max((place + len(run) for run, place in own.items()), default=0) - begin) // RECORD)
            offsets.append({run: place - begin for run, place in own.items()})
        content = b"".join(pack(run, first) for run in places)
        return cls(content, first, tuple(starts), tuple(counts), tuple(offsets), tuple(pieces))

    def of_stream(self, at: int) -> bytes:
        """What flash has of one stream's."""
        return self.content[self.starts[at] * PACKED :][: self.counts[at] * PACKED]
