# SPDX-License-Identifier: Apache-2.0
"""The tables of the C runtime as bytes: packed with the layout of `runtime/include/dimmer_tables.h`, so that their
CRC can be known before any compiler runs.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.emit.text import name_in_c
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.gates import GateSet, GateTable, GateTables, Linear, StageTable, block_row, pool_multiplier
from dimmer.firmware_gen.graph.types import DType, Part, Tensor
from dimmer.firmware_gen.kernels.record import Kernel
from dimmer.firmware_gen.lower.steps import Buffer, Params, Scratch, Shifts, Step, Weights
from dimmer.firmware_gen.memory.arena import Memory
from dimmer.firmware_gen.memory.share import Block, Constant, ConstantPool

ABI = 8
MAX_MODES = 255
MAX_POSITIONS = 256
MAX_INDEX = 0xFFFF

Resolved = int | float | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One record with its final numbers.

    Attributes:
        values: one for each field.
        layer: the first layer that uses it.
        modes: that use it.
    """

    values: tuple[Resolved, ...]
    layer: str
    modes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RecordTable:
    """All records of one kernel."""

    kernel: Kernel
    records: tuple[Record, ...]

    @property
    def data(self) -> bytes:
        """The records' bytes."""
        return b"".join(self.kernel.pack(record.values) for record in self.records)


@dataclass(frozen=True, slots=True)
class BlockEntry:
    """One entry of the table of blocks."""

    first_step: int
    step_count: int
    positions: tuple[int, ...]
    modes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StepEntry:
    """One entry of the table of steps."""

    kernel: int
    record: int
    layer: str
    macs: int


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything that the emitter writes.

    Attributes:
        steps: kernel and record index, with the layer's name and multiply-accumulates.
        schedules: for each mode and position an index into `blocks`.
        inputs: where the model has several, what they are; `input` is the buffer that holds them.
        outputs: the same of outputs.
        title: the model's own name.
    """

    pool: ConstantPool
    records: tuple[RecordTable, ...]
    steps: tuple[StepEntry, ...]
    blocks: tuple[BlockEntry, ...]
    schedules: tuple[tuple[int, ...], ...]
    mode_names: tuple[str, ...]
    mode_macs: tuple[int, ...]
    memory: Memory
    input: Tensor
    output: Tensor
    policy: PolicyConfig
    gates: GateTables | None = None
    inputs: tuple[Part, ...] = ()
    outputs: tuple[Part, ...] = ()
    title: str = "model"

    @property
    def names(self) -> bytes:
        """The model's name and those of the modes, each as C has it, with its zero."""
        return b"".join(name_in_c(name).encode() + b"\0" for name in (self.title, *self.mode_names))

    @property
    def dims(self) -> bytes:
        """The bytes of dimmer_dims_t."""
        return struct.pack(
            "<6I5HBB",
            self.memory.arena,
            len(self.pool.table("weights")),
            len(self.pool.table("params")) // 4,
            len(self.pool.table("shifts")),
            sum(len(table.data) for table in self.records),
            len(self.names),
            len(self.records),
            len(self.steps),
            len(self.blocks),
            len(self.mode_names),
            len(self.schedules[0]),
            len(self.gates.gates) if self.gates else 0,
            len(self.gates.stages) if self.gates else 0,
        ) + b"".join(
            struct.pack("<IIfhBB", offset, tensor.size, *ends(tensor), tensor.dtype.code, 0)
            for tensor, offset in ((self.input, self.memory.input_offset), (self.output, self.memory.output_offset))
        )

    @property
    def dims_crc(self) -> int:
        """CRC-32 of `dims`."""
        return zlib.crc32(self.dims)

    @property
    def crc(self) -> int:
        """CRC-32 of all tables in the order that `dimmer_init` reads them."""
        crc = zlib.crc32(self.names, zlib.crc32(self.dims))
        for name in ("weights", "params", "shifts"):
            crc = zlib.crc32(self.pool.table(name), crc)
        for entry in self.steps:
            crc = zlib.crc32(struct.pack("<HH", entry.kernel, entry.record), crc)
        for block in self.blocks:
            crc = zlib.crc32(struct.pack("<HH", block.first_step, block.step_count), crc)
        for schedule in self.schedules:
            crc = zlib.crc32(struct.pack(f"<{len(schedule)}H", *schedule), crc)
        for table in self.records:
            crc = zlib.crc32(table.data, crc)
        crc = zlib.crc32(self.policy.pack(len(self.mode_names), self.gates is not None), crc)
        if self.policy.plan is not None:
            crc = zlib.crc32(self.policy.plan.pack(len(self.mode_names), self.gates is not None), crc)
        return zlib.crc32(self.gates.data, crc) if self.gates else crc

    @property
    def schedule_bytes(self) -> int:
        """Bytes of records, steps, blocks, schedules and gates."""
        return (
            (len(self.gates.data) if self.gates else 0)
            + sum(len(table.data) for table in self.records)
            + 4 * (len(self.steps) + len(self.blocks))
            + 2 * sum(len(schedule) for schedule in self.schedules)
        )


def ends(tensor: Tensor) -> tuple[float, int]:
    """Scale and zero point of a boundary tensor, 0 and 0 where it is float32."""
    return (0.0, 0) if tensor.quantisation is None else (tensor.q.scale, tensor.q.zero_point)


def check_mode_names(names: Sequence[str]) -> None:
    """Raises FirmwareGenError for modes that a firmware could not tell apart, as it has their names as C text."""
    first: dict[str, str] = {}
    for name in names:
        in_c = name_in_c(name)
        other = first.setdefault(in_c, name)
        if other != name:
            raise FirmwareGenError(f"modes {other} and {name} are both called {in_c} in C; rename one of the files")


def build_tables(
    memory: Memory,
    mode_names: Sequence[str],
    source: Tensor,
    output: Tensor,
    policy: PolicyConfig,
    gates: GateSet | None = None,
    streams: Sequence[Tensor] = (),
    order: Sequence[Constant] = (),
) -> Tables:
    """Gives every step its record and every constant its place.

    Args:
        streams: for gates, the tensor before each position.
        order: of the constants, all of them; that in which layers use them where none is given.

    Raises:
        FirmwareGenError: there are more of something than an index can count, or a number does not fit its field.
    """
    builder = _Builder(memory, order)
    tables = builder.build(tuple(mode_names), source, output, policy)
    if gates is None:
        return tables
    gates.check()
    return replace(tables, gates=builder.gates(gates, tables, streams))


class _Builder:
    def __init__(self, memory: Memory, order: Sequence[Constant]) -> None:
        self.memory = memory
        self.pool = ConstantPool(order)
        self.kernels: dict[Kernel, dict[tuple[Resolved, ...], Record]] = {}
        self.steps: list[StepEntry] = []
        self.blocks: dict[tuple[tuple[int, int], ...], BlockEntry] = {}

    def build(self, mode_names: tuple[str, ...], source: Tensor, output: Tensor, policy: PolicyConfig) -> Tables:
        blocks = self.memory.blocks
        if not 0 < len(mode_names) <= MAX_MODES or len(blocks.schedules[0]) > MAX_POSITIONS:
            raise FirmwareGenError(
                f"{len(mode_names)} modes of {len(blocks.schedules[0])} positions; at most "
                f"{MAX_MODES} of {MAX_POSITIONS}, publish fewer modes"
            )
        check_mode_names(mode_names)
        entries = [self.block(index, block) for index, block in enumerate(blocks.blocks)]
        order = {key: number for number, key in enumerate(self.blocks)}
        self.check_counts()
        return Tables(
            self.pool,
            tuple(RecordTable(kernel, tuple(records.values())) for kernel, records in self.kernels.items()),
            tuple(self.steps),
            tuple(self.blocks.values()),
            tuple(tuple(order[entries[index]] for index in schedule) for schedule in blocks.schedules),
            mode_names,
            tuple(sum(blocks.blocks[index].macs for index in schedule) for schedule in blocks.schedules),
            self.memory,
            source,
            output,
            policy,
        )

    def check_counts(self) -> None:
        counts = {"steps": len(self.steps), "blocks": len(self.blocks), "kernels": len(self.kernels)}
        counts |= {f"records of {kernel.name}": len(records) for kernel, records in self.kernels.items()}
        for what, count in counts.items():
            if count > MAX_INDEX:
                raise FirmwareGenError(f"{count} {what}, at most {MAX_INDEX}; publish fewer modes")

    def block(self, index: int, block: Block) -> tuple[tuple[int, int], ...]:
        """Adds a block and gives its key: its steps as pairs of kernel and record."""
        modes, position = self.memory.blocks.modes_of(index), self.memory.blocks.positions[index]
        added = [
            StepEntry(*self.record(index, number, step, modes), step.layer, step.macs)
            for number, step in enumerate(block.steps)
        ]
        key = tuple((entry.kernel, entry.record) for entry in added)
        known = self.blocks.get(key)
        if known is not None:
            positions, users = sorted({*known.positions, position}), sorted({*known.modes, *modes})
            self.blocks[key] = BlockEntry(known.first_step, known.step_count, tuple(positions), tuple(users))
            return key
        first = self.find(key)
        if first is None:
            first = len(self.steps)
            self.steps.extend(added)
        self.blocks[key] = BlockEntry(first, len(key), (position,), modes)
        return key

    def gates(self, gates: GateSet, tables: Tables, streams: Sequence[Tensor]) -> GateTables:
        """Puts the gates' weights among the others and finds the block that each choice runs.

        Raises:
            FirmwareGenError: the stream is not int8, or not as wide as the gates were made for.
        """
        modes = tuple(range(len(tables.mode_names)))

        def weights(linear: Linear, role: str, layer: str) -> int:
            return self.pool.add(Weights(linear.data, linear.shape), role, layer, modes)

        def params(linear: Linear, role: str, layer: str) -> int:
            return self.pool.add(Params(linear.bias), role, layer, modes)

        stages: list[StageTable] = []
        entries: list[GateTable] = []
        for number, stage in enumerate(gates.stages):
            position = gates.first_position + len(entries)
            stream = streams[position]
            channels = stream.shape[-1]
            if stream.dtype is not DType.INT8 or any(gate.entry.shape[1] != channels + 1 for gate in stage):
                raise FirmwareGenError(
                    f"the gates of stage {number} are not made for {stream.name}, "
                    f"{stream.dtype.value}{list(stream.shape)}; train the gates of this network"
                )
            pixels = stream.elements // channels
            if pixels > 0xFFFF:
                raise FirmwareGenError(f"the gates of stage {number} look at {pixels} pixels, more than 65535")
            first = self.memory.blocks.schedules[0][position]
            place, factor = self.memory.offsets[first, 0], pool_multiplier(stream.q.scale, pixels)
            stages.append(
                StageTable(place, factor[0], pixels, channels, len(entries), len(stage), factor[1], stream.q.zero_point)
            )
            for block, gate in enumerate(stage):
                layer = f"gate {number}.{block}"
                entries.append(
                    GateTable(
                        weights(gate.entry, "entry_weights", layer),
                        params(gate.entry, "entry_bias", layer),
                        weights(gate.head, "head_weights", layer),
                        params(gate.head, "head_bias", layer),
                        gate.entry.shift,
                        gate.skippable,
                        gate.options,
                        block_row(gate, position + block, tables.mode_names, tables.schedules),
                    )
                )
        hidden, features = gates.features.shape
        return GateTables(
            weights(gates.features, "feature_weights", "gates"),
            weights(gates.state, "state_weights", "gates"),
            params(gates.features, "bias", "gates"),
            gates.first_position,
            features,
            hidden,
            gates.features.shift,
            tuple(stages),
            tuple(entries),
        )

    def find(self, key: tuple[tuple[int, int], ...]) -> int | None:
        """Where in the steps so far the same run of steps begins."""
        have = [(entry.kernel, entry.record) for entry in self.steps]
        for first in range(len(have) - len(key) + 1):
            if tuple(have[first : first + len(key)]) == key:
                return first
        return None

    def record(self, index: int, number: int, step: Step, modes: tuple[int, ...]) -> tuple[int, int]:
        """Adds the record of one step and gives the indexes of its kernel and itself."""
        values: list[Resolved] = []
        for item, value in zip(step.kernel.fields, step.values, strict=True):
            match value:
                case Buffer():
                    values.append(self.memory.offsets[index, value.id] + value.offset)
                case Scratch():
                    values.append(self.memory.offsets[index, -1 - number])
                case Weights() | Params() | Shifts():
                    values.append(self.pool.add(value, item.name, step.layer, modes))
                case _:
                    values.append(value)
        records = self.kernels.setdefault(step.kernel, {})
        key = tuple(values)
        known = records.get(key)
        users = modes if known is None else tuple(sorted({*known.modes, *modes}))
        records[key] = Record(key, step.layer if known is None else known.layer, users)
        try:
            step.kernel.pack(key)
        except struct.error as error:
            fields = ", ".join(
                f"{item.name} {value}"
                for item, value in zip(step.kernel.fields, values, strict=True)
                if isinstance(value, int) and abs(value) > 127
            )
            raise FirmwareGenError(
                f"{step.layer}: a number does not fit the record of {step.kernel.name} ({error}; "
                f"{fields}); use a smaller layer"
            ) from error
        return list(self.kernels).index(step.kernel), list(records).index(key)


def literal(value: Resolved, code: str) -> str:
    """A value as C writes it; `code` is of `struct`: "I" is unsigned, "f" a float."""
    if isinstance(value, tuple):
        return "{" + ", ".join(literal(item, code) for item in value) + "}"
    if isinstance(value, float):
        text = f"{value:.9g}"
        return f"{text}f" if "." in text or "e" in text else f"{text}.0f"
    if code == "I":
        return f"{value}u"
    return "(-2147483647 - 1)" if value == -(2**31) else str(value)
