# SPDX-License-Identifier: Apache-2.0
"""Command streams of several modes, rewritten so that all read one blob of constants.

Vela compiles a mode at a time and puts a layer's scales and weights into one tensor. Its weight streams are the same
bytes in every mode; the scales are not, since each mode has norm statistics of its own. So every piece that an
operation reads (weights, scales, a constant operand, a table) goes into one pool by its content. Where Vela has a DMA
fetch scales and weights together, the DMA fetches the weights alone, and the operation reads its scales, 10 bytes a
channel, where they lie: so no command is added. Where it fetches the weights of several operations, or of two cores,
it becomes a DMA each.

Scale records that the first mode does not read are packed (`scales.py`) where one stream reads them, or it and the next
one do: what two of them share lies between what each has alone, so that the packed records of a stream are one run of
flash. They are unpacked into the arena before the stream runs, and the operations read them there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.npu.compiled import CompiledMode
from dimmer.firmware_gen.npu.exact import NATURAL_ROUNDING, Dense, corrected
from dimmer.firmware_gen.npu.scales import PACKED, PACKED_REGION, Packing, packable
from dimmer.firmware_gen.npu.stream import Command, Registers, bytes_of_map, commands, words_of

RELINKED = ("ethos-u55", "ethos-u65")
"""NPUs whose streams can be rewritten. Ethos-U85 has other codes, which nobody has given names here."""
PIECE_ALIGN = 16
"""Bytes: pieces start at a multiple, as the NPU wants of weights, scales and tables."""
_PARTS = ("WEIGHT", "SCALE", "WEIGHT1", "SCALE1")
_SHORT = ("SCALE_REGION", "OFM_PRECISION")
_DMA = ("DMA0_SRC", "DMA0_DST", "DMA0_LEN")
_Put = Callable[[int, int, str], int]
_PutScales = Callable[[Sequence[tuple[int, int]], bool], tuple[int, list[int], bool]]
_HIGH_BITS = "an address of a command stream has more than 32 bits: the model is too large for the runtime"


def aligned(size: int) -> int:
    """Bytes that something of a size takes of the blob."""
    return -(-size // PIECE_ALIGN) * PIECE_ALIGN


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
        modes: as they were compiled, with the streams that read the blob; of a mode in parts several.
        pieces: of the blob, in its order.
        owners: the mode of each stream, by its number.
        packed: the packed records of all streams; those of one are a run of it.
        packed_at: where the run of each stream begins.
        packed_pieces: runs of the packed records with the modes that read them.
    """

    blob: bytes
    modes: tuple[CompiledMode, ...]
    pieces: tuple[Piece, ...]
    owners: tuple[int, ...]
    packed: bytes = b""
    packed_at: tuple[int, ...] = ()
    packed_pieces: tuple[Piece, ...] = ()

    def added(self, mode: int) -> int:
        """Bytes that a mode adds to what those before it need: its own pieces and its stream."""
        return self._bytes(lambda modes: modes[0] == mode) + self.streams(mode)

    def alone(self, mode: int) -> int:
        """Bytes that leaving a mode out would save, its stream apart: what no other mode reads."""
        return self._bytes(lambda modes: modes == (mode,))

    def streams(self, mode: int) -> int:
        """Bytes of a mode's streams."""
        return sum(
            len(stream.payload.pack()) for stream, owner in zip(self.modes, self.owners, strict=True) if owner == mode
        )

    def _bytes(self, is_meant: Callable[[tuple[int, ...]], bool]) -> int:
        plain = sum(aligned(piece.size) for piece in self.pieces if is_meant(piece.modes))
        return plain + sum(piece.size for piece in self.packed_pieces if is_meant(piece.modes))


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

    def pieces(self, owners: Sequence[int]) -> tuple[Piece, ...]:
        users = {content: tuple(sorted({owners[user] for user in found})) for content, found in self.users.items()}
        return tuple(
            Piece(offset, len(content), self.kinds[content], users[content]) for content, offset in self.offsets.items()
        )


def relink(
    modes: Sequence[CompiledMode],
    dense: Sequence[Sequence[Dense]] = (),
    packed: bool = True,
    owners: Sequence[int] = (),
) -> Relinked:
    """The modes on one blob, the first of them first in it; those for Ethos-U85 share nothing.

    Args:
        modes: their streams, the first mode's first.
        dense: the FULLY_CONNECTED layers of each mode, which are made exact; without them they stay as Vela has them.
        packed: whether scale records of one mode alone are packed, which takes RAM to unpack them into.
        owners: the mode of each stream, by its number; each is a mode of its own where none are given.

    Raises:
        FirmwareGenError: they are for different NPUs, or a stream reads constants in a way that is not known.
    """
    kinds = {mode.payload.accelerator for mode in modes}
    if len(kinds) > 1:
        raise FirmwareGenError(f"the modes were compiled for {' and '.join(sorted(kinds))}: compile them for one NPU")
    owners = tuple(owners) or tuple(range(len(modes)))
    if modes[0].payload.product not in RELINKED:
        return _apart(modes, owners)
    plain, pool = _Pool(), _Pool()
    layers = [dense[number] if dense else () for number in range(len(modes))]
    for number, mode in enumerate(modes):
        _streamed(mode, plain, number, layers[number], {})
    readers = {
        content: users
        for content, users in plain.users.items()
        if packed and plain.kinds[content] == "scales" and packable(content) and all(owners[user] for user in users)
    }
    near = {content: users for content, users in readers.items() if len(users) <= 2 and users[-1] - users[0] < 2}
    found = Packing.of(near, len(modes))
    relinked = []
    for number, mode in enumerate(modes):
        stream = _streamed(mode, pool, number, layers[number], found.offsets[number])
        payload = replace(mode.payload, stream=stream)
        own = found.of_stream(number)
        relinked.append(
            replace(mode, payload=payload, read_only=b"", packed=own, packed_shift=found.first if own else 0)
        )
    blob = bytes(pool.blob) + bytes(-len(pool.blob) % PIECE_ALIGN)
    return Relinked(
        blob,
        tuple(replace(mode, read_only=blob) for mode in relinked),
        pool.pieces(owners),
        owners,
        found.content,
        tuple(start * PACKED for start in found.starts),
        tuple(
            Piece(start, size, "packed", tuple(sorted({owners[user] for user in users})))
            for start, size, users in found.pieces
        ),
    )


def _apart(modes: Sequence[CompiledMode], owners: tuple[int, ...]) -> Relinked:
    """Streams as Vela made them, the constants of each mode behind those of the one before."""
    blob, pieces = bytearray(), list[Piece]()
    for number, mode in enumerate(modes):
        pieces.append(Piece(len(blob), len(mode.read_only), "constants", (owners[number],)))
        blob += mode.read_only + bytes(-len(mode.read_only) % PIECE_ALIGN)
    return Relinked(bytes(blob), tuple(modes), tuple(pieces), owners)


def _streamed(
    mode: CompiledMode, pool: _Pool, number: int, dense: Sequence[Dense], packed: Mapping[bytes, int]
) -> tuple[int, ...]:
    try:
        return words_of(_rewritten(mode, pool, number, dense, packed))
    except FirmwareGenError as error:
        raise FirmwareGenError(f"mode {mode.name}: {error}") from error


def _rewritten(
    mode: CompiledMode, pool: _Pool, number: int, dense: Sequence[Dense], packed: Mapping[bytes, int]
) -> Iterator[Command]:
    """The commands of a mode that reads the pool.

    Registers that hold addresses of constants are written just before the operation that reads them, and only if they
    do not hold the value already; commands that set them otherwise are dropped.
    """
    stream = list(commands(mode.payload.stream))
    wanted, written = Registers(), dict[str, int]()
    moved: list[_Moved] = []

    def constant(offset: int, size: int) -> bytes:
        if size <= 0 or offset + size > len(mode.read_only):
            raise FirmwareGenError(
                f"a command reads {size:,} bytes at {offset:,} of {len(mode.read_only):,} bytes of constants: "
                "compile it again"
            )
        return mode.read_only[offset : offset + size]

    def put(offset: int, size: int, kind: str) -> int:
        return pool.put(constant(offset, size), kind, number)

    def scales(places: Sequence[tuple[int, int]], exact: bool) -> tuple[int, list[int], bool]:
        """The region that records of an operation's cores lie in, where, and whether all became exact ones."""
        contents = [constant(start, size) if size else b"" for start, size in places]
        changed = [corrected(content, dense, len(places)) if exact and content else None for content in contents]
        contents = [new or old for new, old in zip(changed, contents, strict=True)]
        all_exact = None not in changed
        if any(contents) and all(content in packed for content in contents if content):
            return PACKED_REGION, [packed.get(content, 0) for content in contents], all_exact
        found = [pool.put(content, "scales", number) if content else 0 for content in contents]
        return mode.read_only_region, found, all_exact

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
        for name, value in _bases(command.name, wanted, mode.read_only_region, moved, put, scales):
            yield from hold(name, value)
        yield command


def _is_held(name: str) -> bool:
    if name in _DMA or name in _SHORT or name.removesuffix("_BASE") in _PARTS:
        return True
    return name[:-1].endswith("_BASE") and name.startswith("IFM")


def _bases(
    operation: str, held: Registers, region: int, moved: Sequence[_Moved], put: _Put, put_scales: _PutScales
) -> Iterator[tuple[str, int]]:
    """The registers that an operation reads its addresses from, and what they shall hold."""
    exact = False
    if operation in ("CONV", "DEPTHWISE"):
        for part in ("WEIGHT", "WEIGHT1"):
            if f"{part}_BASE" in held:
                base, size = held[f"{part}_BASE"], held[f"{part}_LENGTH"]
                if held["WEIGHT_REGION"] == region:
                    # A core without work has a base and no length.
                    base = put(base, size, "weights") if size else 0
                yield f"{part}_BASE", base
        names = [f"{part}_BASE" for part in ("SCALE", "SCALE1") if f"{part}_BASE" in held]
        sizes = [held[f"{name.removesuffix('_BASE')}_LENGTH"] for name in names]
        origins = [_origin(held, held[name], size, region, moved) for name, size in zip(names, sizes, strict=True)]
        places = [(origin, size) for origin, size in zip(origins, sizes, strict=True) if origin is not None]
        if len(places) == len(names):
            is_dense = held["KERNEL_HEIGHT_M1"] == held["KERNEL_WIDTH_M1"] == 0 and operation == "CONV"
            where, bases, exact = put_scales(places, is_dense)
        elif any(size for _, size in places):
            raise FirmwareGenError("the scales of two cores come from different places: compile it again")
        else:
            where, bases = held["SCALE_REGION"], [held[name] for name in names]
        yield "SCALE_REGION", where
        yield from zip(names, bases, strict=True)
    if operation in ("CONV", "DEPTHWISE", "POOL", "ELEMENTWISE"):
        rounding = NATURAL_ROUNDING << 14 if exact else held["OFM_PRECISION"] & 0xC000
        yield "OFM_PRECISION", held["OFM_PRECISION"] & 0x3FFF | rounding
        scalar = held.get("IFM2_BROADCAST", 0) >> 7 & 1
        for map_ in ("IFM", "IFM2") if operation == "ELEMENTWISE" and not scalar else ("IFM",):
            if f"{map_}_BASE0" not in held:
                continue
            constant = held.get(f"{map_}_REGION") == region
            base = held[f"{map_}_BASE0"]
            if constant:
                base = put(base, bytes_of_map(map_, held), "constants")
            yield f"{map_}_BASE0", base
            for tile in "123":
                yield f"{map_}_BASE{tile}", 0 if constant else held[f"{map_}_BASE{tile}"]


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
