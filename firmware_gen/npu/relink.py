# SPDX-License-Identifier: Apache-2.0
"""Command streams of several modes, rewritten so that all read one blob of constants.

Vela compiles a mode at a time and puts a layer's scales and weights into one tensor. Its weight streams are the same
bytes in every mode; the scales are not, since each mode has norm statistics of its own. So every piece that an
operation reads (weights, scales, a constant operand, a table) goes into one pool by its content. Where Vela has a DMA
fetch scales and weights together, the DMA fetches the weights alone, and the operation reads its scales, 10 bytes a
channel, where they lie: so no command is added. Where it fetches the weights of several operations, or of two cores,
it becomes a DMA each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.npu.compiled import CompiledMode
from dimmer.firmware_gen.npu.exact import NATURAL_ROUNDING, Dense, corrected
from dimmer.firmware_gen.npu.stream import Command, Registers, commands, words_of

PIECE_ALIGN = 16
"""Bytes: pieces start at a multiple, as the NPU wants of weights, scales and tables."""
_PARTS = ("WEIGHT", "SCALE", "WEIGHT1", "SCALE1")
_SHORT = ("SCALE_REGION", "OFM_PRECISION")
_DMA = ("DMA0_SRC", "DMA0_DST", "DMA0_LEN")
_Change = Callable[[bytes], bytes | None]
_Put = Callable[..., int]
_HIGH_BITS = "an address of a command stream has more than 32 bits: the model is too large for the runtime"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the blob.

    Attributes:
        offset: bytes into the blob.
        kind: "weights", "scales" or "constants".
        modes: that read it, by their numbers.
    """

    offset: int
    size: int
    kind: str
    modes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Relinked:
    """Modes on one blob.

    Attributes:
        blob: constants of all modes.
        modes: as they were compiled, with the streams that read the blob.
        pieces: of the blob, in its order.
    """

    blob: bytes
    modes: tuple[CompiledMode, ...]
    pieces: tuple[Piece, ...]

    def added(self, mode: int) -> int:
        """Bytes that a mode adds to what those before it need: its own pieces and its stream."""
        own = sum(-(-piece.size // PIECE_ALIGN) * PIECE_ALIGN for piece in self.pieces if piece.modes[0] == mode)
        return own + len(self.modes[mode].payload.pack())


@dataclass(frozen=True, slots=True)
class _Moved:
    """A DMA of constants: `size` bytes from `source` to `to` in a region."""

    region: int
    to: int
    size: int
    source: int


@dataclass
class _Pool:
    """The blob while it grows."""

    blob: bytearray = field(default_factory=bytearray)
    offsets: dict[bytes, int] = field(default_factory=dict)
    kinds: dict[bytes, str] = field(default_factory=dict)
    users: dict[bytes, list[int]] = field(default_factory=dict)

    def put(self, content: bytes, kind: str, mode: int) -> int:
        if content not in self.offsets:
            self.blob += bytes(-len(self.blob) % PIECE_ALIGN)
            self.offsets[content] = len(self.blob)
            self.kinds[content] = kind
            self.blob += content
        users = self.users.setdefault(content, [])
        if mode not in users:
            users.append(mode)
        return self.offsets[content]

    def pieces(self) -> tuple[Piece, ...]:
        return tuple(
            Piece(offset, len(content), self.kinds[content], tuple(self.users[content]))
            for content, offset in self.offsets.items()
        )


def relink(modes: Sequence[CompiledMode], dense: Sequence[Sequence[Dense]] = ()) -> Relinked:
    """The modes on one blob, the first of them first in it.

    Args:
        dense: the FULLY_CONNECTED layers of each mode, which are made exact; without them they stay as Vela has them.

    Raises:
        FirmwareGenError: they are for different NPUs, or a stream reads constants in a way that is not known.
    """
    kinds = {mode.payload.accelerator for mode in modes}
    if len(kinds) > 1:
        raise FirmwareGenError(f"the modes were compiled for {' and '.join(sorted(kinds))}: compile them for one NPU")
    pool = _Pool()
    relinked = []
    for number, mode in enumerate(modes):
        try:
            stream = words_of(_rewritten(mode, pool, number, dense[number] if dense else ()))
        except FirmwareGenError as error:
            raise FirmwareGenError(f"mode {mode.name}: {error}") from error
        payload = replace(mode.payload, stream=stream)
        relinked.append(replace(mode, payload=payload, read_only=b""))
    blob = bytes(pool.blob) + bytes(-len(pool.blob) % PIECE_ALIGN)
    return Relinked(blob, tuple(replace(mode, read_only=blob) for mode in relinked), pool.pieces())


def _rewritten(mode: CompiledMode, pool: _Pool, number: int, dense: Sequence[Dense]) -> Iterator[Command]:
    """The commands of a mode that reads the pool.

    Registers that hold addresses of constants are written just before the operation that reads them, and only if they
    do not hold the value already; commands that set them otherwise are dropped.
    """
    stream = list(commands(mode.payload.stream))
    wanted, written = Registers(), dict[str, int]()
    moved: list[_Moved] = []

    def put(offset: int, size: int, kind: str, change: _Change | None = None) -> int:
        if size <= 0 or offset + size > len(mode.read_only):
            raise FirmwareGenError(
                f"a command reads {size:,} bytes at {offset:,} of {len(mode.read_only):,} bytes of constants: "
                "compile it again"
            )
        content = mode.read_only[offset : offset + size]
        return pool.put(content if change is None else change(content) or content, kind, number)

    def hold(name: str, value: int) -> Iterator[Command]:
        if written.get(name) != value:
            written[name] = value
            yield Command(name, value) if name in _SHORT else Command(name, 0, value)

    for at, command in enumerate(stream):
        if not command.starts:
            wanted.set(command)
            if _is_held(command.name):
                if command.value is not None and command.param:
                    raise FirmwareGenError(_HIGH_BITS)
                continue
            yield command
            continue
        if command.name == "DMA_START":
            if wanted["DMA0_SRC_REGION"] != mode.read_only_region:
                for name in _DMA:
                    yield from hold(name, wanted[name])
                yield command
                continue
            moved.append(_Moved(wanted["DMA0_DST_REGION"], wanted["DMA0_DST"], wanted["DMA0_LEN"], wanted["DMA0_SRC"]))
            pieces = [piece for piece in _pieces_of_dma(stream, at, wanted) if piece[2] != "scales"]
            for turn, (start, size, kind) in enumerate(pieces):
                if turn:
                    # No more are under way at once than Vela counted on.
                    yield Command("DMA_WAIT", 0)
                yield from hold("DMA0_SRC", put(wanted["DMA0_SRC"] + start, size, kind))
                yield from hold("DMA0_DST", wanted["DMA0_DST"] + start)
                yield from hold("DMA0_LEN", size)
                yield command
            continue
        for name, value in _bases(command.name, wanted, mode.read_only_region, moved, put, dense):
            yield from hold(name, value)
        yield command


def _is_held(name: str) -> bool:
    if name in _DMA or name in _SHORT or name.removesuffix("_BASE") in _PARTS:
        return True
    return name[:-1].endswith("_BASE") and name.startswith("IFM")


def _bases(
    operation: str, held: Registers, region: int, moved: Sequence[_Moved], put: _Put, dense: Sequence[Dense]
) -> Iterator[tuple[str, int]]:
    """The registers that an operation reads its addresses from, and what they shall hold."""
    exact: list[bool] = []

    def change(records: bytes) -> bytes | None:
        found = None
        if held["KERNEL_HEIGHT_M1"] == held["KERNEL_WIDTH_M1"] == 0 and operation == "CONV":
            found = corrected(records, dense, 1 + held.get("PARALLEL_MODE", 0))
        exact.append(found is not None)
        return found

    if operation in ("CONV", "DEPTHWISE"):
        for part in ("WEIGHT", "WEIGHT1"):
            if f"{part}_BASE" in held:
                base, size = held[f"{part}_BASE"], held[f"{part}_LENGTH"]
                yield f"{part}_BASE", _placed(base, size, held["WEIGHT_REGION"] == region, "weights", put)
        scales = [(f"{part}_BASE", held[f"{part}_LENGTH"]) for part in ("SCALE", "SCALE1") if f"{part}_BASE" in held]
        places = [_origin(held, held[name], size, region, moved) for name, size in scales]
        constant = None not in places
        if not constant and any(place is not None for (_, size), place in zip(scales, places, strict=True) if size):
            raise FirmwareGenError("the scales of two cores come from different places: compile it again")
        yield "SCALE_REGION", region if constant else held["SCALE_REGION"]
        for (name, size), place in zip(scales, places, strict=True):
            yield name, held[name] if place is None else _placed(place, size, True, "scales", put, change)
    if operation in ("CONV", "DEPTHWISE", "POOL", "ELEMENTWISE"):
        rounding = NATURAL_ROUNDING << 14 if exact and all(exact) else held["OFM_PRECISION"] & 0xC000
        yield "OFM_PRECISION", held["OFM_PRECISION"] & 0x3FFF | rounding
        scalar = held.get("IFM2_BROADCAST", 0) >> 7 & 1
        for map_ in ("IFM", "IFM2") if operation == "ELEMENTWISE" and not scalar else ("IFM",):
            if f"{map_}_BASE0" not in held:
                continue
            constant = held.get(f"{map_}_REGION") == region
            base = held[f"{map_}_BASE0"]
            if constant:
                base = put(base, _extent(map_, held), "constants")
            yield f"{map_}_BASE0", base
            for tile in "123":
                yield f"{map_}_BASE{tile}", 0 if constant else held[f"{map_}_BASE{tile}"]


def _placed(base: int, size: int, constant: bool, kind: str, put: _Put, change: _Change | None = None) -> int:
    """The address of weights or scales; a core without work has a base and no length."""
    if not constant:
        return base
    return put(base, size, kind, change) if size else 0


def _origin(held: Registers, base: int, size: int, region: int, moved: Sequence[_Moved]) -> int | None:
    """Where scales lie among the constants, which an operation reads there or where a DMA brought them."""
    if held["SCALE_REGION"] == region:
        return base
    if not size:
        return 0
    for dma in reversed(moved):
        if dma.region == held["SCALE_REGION"] and base < dma.to + dma.size and dma.to < base + size:
            inside = dma.to <= base and base + size <= dma.to + dma.size
            return dma.source + base - dma.to if inside else None
    return None


def _extent(map_: str, held: Registers) -> int:
    """Bytes of a feature map of constants, which lies in one tile."""
    height, width = held[f"{map_}_HEIGHT0_M1"] + 1, held[f"{map_}_WIDTH0_M1"] + 1
    depth = held["OFM_DEPTH_M1" if map_ == "IFM2" else "IFM_DEPTH_M1"] + 1
    if map_ == "IFM2" and held["IFM2_BROADCAST"] >> 2 & 1:
        depth = 1
    precision = held[f"{map_}_PRECISION"]
    size = 1 << (precision >> 2 & 3)
    rows = (height - 1) * held[f"{map_}_STRIDE_Y"] + (width - 1) * held[f"{map_}_STRIDE_X"]
    if precision >> 6 & 1:
        return rows + (depth - 1) // 16 * held[f"{map_}_STRIDE_C"] + 16 * size
    return rows + depth * size


def _pieces_of_dma(stream: Sequence[Command], at: int, held: Registers) -> list[tuple[int, int, str]]:
    """What a DMA of constants moves: (start, bytes, kind) of each piece that an operation reads by itself.

    The operations are those behind it, until another DMA writes to the same place.
    """
    first, size, region = held["DMA0_DST"], held["DMA0_LEN"], held["DMA0_DST_REGION"]
    last = first + size
    later = Registers(held)
    found: dict[tuple[int, int], str] = {}
    for command in stream[at + 1 :]:
        if not command.starts:
            later.set(command)
        elif command.name == "DMA_START" and later["DMA0_DST_REGION"] == region:
            to = later["DMA0_DST"]
            if to < last and first < to + later["DMA0_LEN"]:
                break
        elif command.name in ("CONV", "DEPTHWISE"):
            for part in _PARTS:
                if f"{part}_BASE" not in later or later[f"{part.rstrip('1')}_REGION"] != region:
                    continue
                start, length = later[f"{part}_BASE"], later[f"{part}_LENGTH"]
                if length and first <= start and start + length <= last:
                    found[start - first, length] = "weights" if part.startswith("WEIGHT") else "scales"
    pieces: list[tuple[int, int, str]] = []
    done = 0
    for (start, length), kind in sorted(found.items()):
        if start < done or start % PIECE_ALIGN:
            return [(0, size, "constants")]
        if start > done:
            pieces.append((done, start - done, "constants"))
        pieces.append((start, length, kind))
        done = start + length
    if done < size:
        pieces.append((done, size - done, "constants"))
    return pieces
