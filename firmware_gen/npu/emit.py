# SPDX-License-Identifier: Apache-2.0
"""Relinked modes -> C: one blob, a stream a mode, the tables of the runtime, known answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dimmer.firmware_gen.emit import header
from dimmer.firmware_gen.emit import known_answers as answers_c
from dimmer.firmware_gen.emit.known_answers import KnownAnswers
from dimmer.firmware_gen.emit.names import ANSWERS_HEADER, MODEL_HEADER, Names, names_of
from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.emit.source import constant_rows, modes_text, opening, plan_of_core
from dimmer.firmware_gen.emit.tables import BlockEntry, Record, RecordTable, StepEntry, Tables
from dimmer.firmware_gen.emit.text import comment
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.files import write_atomically
from dimmer.firmware_gen.graph.types import DType, Tensor
from dimmer.firmware_gen.lower.steps import Weights
from dimmer.firmware_gen.memory.arena import Memory
from dimmer.firmware_gen.memory.share import BlockSet, ConstantPool
from dimmer.firmware_gen.npu.kernel import ETHOS_U
from dimmer.firmware_gen.npu.relink import Relinked
from dimmer.firmware_gen.npu.scales import PACKED, PACKED_REGION

LINE = 32
"""Bytes of a line of the data cache, to which everything in the arena is aligned."""


@dataclass(frozen=True, slots=True)
class NpuModel:
    """What was generated.

    Attributes:
        symbol: the C name of the model.
        files: C sources and headers.
        arena: bytes.
        weight_bytes: of the blob and all streams, in flash.
        table_bytes: of records, steps, blocks and schedules.
    """

    symbol: str
    files: tuple[Path, ...]
    arena: int
    weight_bytes: int
    table_bytes: int

    @property
    def sources(self) -> tuple[Path, ...]:
        """The files to compile."""
        return tuple(path for path in self.files if path.suffix == ".c")


def npu_tables(relinked: Relinked, macs: Sequence[int], ends: tuple[Tensor, Tensor], policy: PolicyConfig) -> Tables:
    """The runtime's tables: mode m is schedule m, block m, step m, record m of one kernel.

    Args:
        macs: of each mode.
        ends: input and output of every mode.

    Raises:
        FirmwareGenError: an end is not int8 or of another size than the streams have.
    """
    source, output = ends
    for what, tensor, sizes in (
        ("input", source, {mode.input.size for mode in relinked.modes}),
        ("output", output, {mode.output.size for mode in relinked.modes}),
    ):
        if tensor.dtype is not DType.INT8 or sizes != {tensor.size}:
            raise FirmwareGenError(
                f"the {what} is {tensor.dtype.value} of {tensor.size} bytes, the streams have {sorted(sizes)}: "
                "the NPU takes int8; convert the model again"
            )
    modes = tuple(range(len(relinked.modes)))
    pool = ConstantPool()
    blob = pool.add(Weights(relinked.blob, (len(relinked.blob),)), "weights, scales", "the blob", modes)
    input_at = LINE
    output_at = input_at + _lines(source.size)
    scratch_at = output_at + _lines(output.size)
    unpacked_at = scratch_at + max(_lines(mode.scratch_size) for mode in relinked.modes)
    records = []
    for number, mode in enumerate(relinked.modes):
        payload = mode.payload.pack()
        stream = pool.add(Weights(payload + bytes(-len(payload) % 16), (len(payload),)), "stream", mode.name, (number,))
        packed = 0
        if mode.packed:
            padded = mode.packed + bytes(-len(mode.packed) % 16)
            packed = pool.add(Weights(padded, (len(mode.packed),)), "scales, packed", mode.name, (number,))
        values = (
            stream,
            len(payload),
            blob + relinked.starts[number],
            len(mode.read_only),
            scratch_at,
            _lines(mode.scratch_size),
        )
        own = (packed, unpacked_at, len(mode.packed) // PACKED)
        regions = (mode.read_only_region, mode.scratch_region, PACKED_REGION, mode.packed_shift)
        records.append(Record((*values, mode.input.offset, mode.output.offset, *own, *regions), mode.name, (number,)))
    arena = unpacked_at + max(_lines(len(mode.unpacked)) for mode in relinked.modes)
    scratch = arena - scratch_at
    memory = Memory(BlockSet((), (), ()), {}, arena, arena, scratch_at, scratch, input_at, output_at, ())
    return Tables(
        pool,
        (RecordTable(ETHOS_U, tuple(records)),),
        tuple(StepEntry(0, number, mode.name, macs[number]) for number, mode in enumerate(relinked.modes)),
        tuple(BlockEntry(number, 1, (0,), (number,)) for number in modes),
        tuple((number,) for number in modes),
        tuple(mode.name for mode in relinked.modes),
        tuple(macs),
        memory,
        source,
        output,
        policy,
    )


def generate_npu(tables: Tables, name: str, accelerator: str, answers: KnownAnswers, out: Path) -> NpuModel:
    """Writes the C of a model for an NPU, under the names that `generate` gives.

    Args:
        name: of the model.
        accelerator: that it is for, as "ethos-u55-128".
    """
    names = names_of(name)
    texts = {
        names.header: header.emit_header(tables, names, cores=tuple(_arena(tables, names))),
        names.source: "\n".join(_source(tables, names, accelerator)) + "\n",
        MODEL_HEADER: header.emit_general_header(tables, names),
        names.answers_header: answers_c.emit_known_answers_header(names),
        names.answers_source: answers_c.emit_known_answers(tables, names, answers),
        ANSWERS_HEADER: answers_c.emit_general_answers_header(names),
    }
    out.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        write_atomically(out / file, text)
    weights = sum(constant.size for constant in tables.pool.constants)
    files = tuple(out / file for file in texts)
    return NpuModel(names.symbol, files, tables.memory.arena, weights, tables.schedule_bytes)


def _arena(tables: Tables, names: Names) -> Iterator[str]:
    yield f"#define {names.macro}_ARENA_SIZE {tables.memory.arena}u /* bytes; input, output, scratch, scales */"
    yield f"#define {names.macro}_ARENA_ALIGN {LINE}u /* bytes: a line of the data cache */"


def _lines(size: int) -> int:
    return -(-size // LINE) * LINE


def _source(tables: Tables, names: Names, accelerator: str) -> Iterator[str]:
    yield from opening(tables, names)
    yield '#include "dimmer_ethos_u.h"'
    yield ""
    yield f"/* Command streams for {comment(accelerator)}: no other NPU takes them. The driver wants them,"
    yield " * and what they read, at multiples of 16 bytes. */"
    count, name = len(tables.pool.table("weights")), names.table("weights")
    yield f"static const union {{\n    int8_t bytes[{count}];\n    int32_t alignment;\n}} {name}"
    yield "    __attribute__((aligned(16))) = {{"
    for constant in tables.pool.constants:
        yield (
            f"    /* [{constant.index}] {comment(constant.layer)}: {constant.role}, {constant.size} bytes, "
            f"{modes_text(tables, constant.modes)} */"
        )
        yield from constant_rows(constant, 1, 24)
    yield "}};"
    yield ""
    yield f"static const int32_t {names.table('params')}[1] = {{0}};"
    yield f"static const int8_t {names.table('shifts')}[1] = {{0}};"
    yield ""
    yield from plan_of_core(tables, names)
