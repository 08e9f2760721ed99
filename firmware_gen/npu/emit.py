# SPDX-License-Identifier: Apache-2.0
"""Relinked modes -> C: one blob, a stream a mode, the tables of the runtime, known answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dimmer.firmware_gen.emit import header
from dimmer.firmware_gen.emit import known_answers as answers_c
from dimmer.firmware_gen.emit.known_answers import KnownAnswers
from dimmer.firmware_gen.emit.meaning import Meaning
from dimmer.firmware_gen.emit.names import ANSWERS_HEADER, MODEL_HEADER, Names, names_of
from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.emit.source import (
    constant_rows,
    constants_text,
    modes_text,
    opening,
    plan_of_core,
    refusal_of_cores,
)
from dimmer.firmware_gen.emit.tables import Tables, build_tables
from dimmer.firmware_gen.emit.text import comment
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.files import write_atomically
from dimmer.firmware_gen.graph.types import DType, Part, Tensor
from dimmer.firmware_gen.lower.steps import Weights
from dimmer.firmware_gen.memory.arena import Memory
from dimmer.firmware_gen.memory.share import BlockSet, Constant
from dimmer.firmware_gen.npu.chain import LINE, Chain, Places, block_of, lines, npu_constants, planned
from dimmer.firmware_gen.npu.kernel import ETHOS_U, ETHOS_U_END
from dimmer.firmware_gen.npu.relink import Relinked


@dataclass(frozen=True, slots=True)
class NpuModel:
    """What was generated.

    Attributes:
        symbol: the C name of the model.
        files: C sources and headers.
        arena: bytes.
        weight_bytes: of the blob, all streams and the core's constants, in flash.
        table_bytes: of records, steps, blocks and schedules.
        kernels: C functions that the core's parts of modes call.
    """

    symbol: str
    files: tuple[Path, ...]
    arena: int
    weight_bytes: int
    table_bytes: int
    kernels: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[Path, ...]:
        """The files to compile."""
        return tuple(path for path in self.files if path.suffix == ".c")


def npu_tables(
    relinked: Relinked,
    chains: Sequence[Chain],
    ends: tuple[Tensor, Tensor],
    policy: PolicyConfig,
    parts: tuple[tuple[Part, ...], tuple[Part, ...]] = ((), ()),
    name: str = "model",
) -> Tables:
    """The runtime's tables: mode m is schedule m; the kernel of streams is the first.

    Args:
        chains: a mode each.
        ends: input and output of every mode.
        parts: where they hold several, what they are.
        name: of the model.

    Raises:
        FirmwareGenError: an end that the NPU itself takes is not int8, or it is of another size than the streams have.
    """
    source, output = ends
    for what, tensor, sizes in (
        ("input", source, {sum(chain.sizes[value] for value, _ in chain.inputs) for chain in chains}),
        ("output", output, {sum(chain.sizes[value] for value, _ in chain.outputs) for chain in chains}),
    ):
        taken = tensor.dtype is DType.INT8 or not any(chain.is_whole for chain in chains)
        if not taken or sizes != {tensor.size}:
            raise FirmwareGenError(
                f"the {what} is {tensor.dtype.value} of {tensor.size} bytes, the streams have {sorted(sizes)}: "
                "the NPU takes int8; convert the model again"
            )
    output_at = LINE + lines(source.size)
    areas = output_at + lines(output.size)
    plans = [planned(chain, relinked) for chain in chains]
    places = Places(LINE, output_at, areas, areas + max(plan.size for plan in plans))
    blocks = tuple(block_of(chain, plan, places, relinked) for chain, plan in zip(chains, plans, strict=True))
    arena = places.unpacked + max(lines(len(stream.unpacked)) for stream in relinked.modes)
    modes = tuple(range(len(chains)))
    found = BlockSet(blocks, (0,) * len(blocks), tuple((number,) for number in modes))
    memory = Memory(found, {}, arena, arena, areas, arena - areas, LINE, output_at, ())
    names = [chain.name for chain in chains]
    tables = build_tables(memory, names, source, output, policy, order=tuple(_constants_of(relinked)))
    if relinked.packed:
        # Records hold places within it, so that none of them names it.
        *_, (role, layer, data) = npu_constants(relinked)
        readers = {owner for owner, mode in zip(relinked.owners, relinked.modes, strict=True) if mode.packed}
        tables.pool.add(Weights(data, (len(data),)), role, layer, tuple(sorted(readers)))
    inputs, outputs = parts
    macs = tuple(chain.macs for chain in chains)
    return _streams_first(replace(tables, mode_macs=macs, inputs=inputs, outputs=outputs, title=name))


def _constants_of(relinked: Relinked) -> Iterator[Constant]:
    """What the NPU reads, where `chain.py` says that it lies."""
    index = 0
    for role, layer, data in npu_constants(relinked):
        if data:
            yield Constant("weights", role, layer, (len(data),), index, len(data), (), data)
        index += len(data)


def _streams_first(tables: Tables) -> Tables:
    """The kernel of streams as kernel 0, where those that read a firmware look for it."""
    kernels = [table.kernel for table in tables.records]
    order = sorted(range(len(kernels)), key=lambda at: kernels[at] != ETHOS_U)
    steps = tuple(replace(step, kernel=order.index(step.kernel)) for step in tables.steps)
    return replace(tables, records=tuple(tables.records[at] for at in order), steps=steps)


def generate_npu(
    tables: Tables,
    name: str,
    accelerator: str,
    answers: KnownAnswers,
    out: Path,
    core: str = "",
    classes: Sequence[str] = (),
    meaning: Meaning = header.NOTHING,
) -> NpuModel:
    """Writes the C of a model for an NPU, under the names that `generate` gives.

    Args:
        name: of the model.
        accelerator: that it is for, as "ethos-u55-128".
        core: beside it, as the compiler calls it.
        classes: what the elements of the output stand for; empty where nobody knows.
        meaning: of input and output.

    Raises:
        FirmwareGenError: there are more or fewer classes than elements.
    """
    names = names_of(name)
    texts = {
        names.header: header.emit_header(tables, names, classes, tuple(_arena(tables, names)), meaning),
        names.source: "\n".join(_source(tables, names, accelerator, core)) + "\n",
        MODEL_HEADER: header.emit_general_header(tables, names, classes, meaning),
        names.answers_header: answers_c.emit_known_answers_header(names),
        names.answers_source: answers_c.emit_known_answers(tables, names, answers),
        ANSWERS_HEADER: answers_c.emit_general_answers_header(names),
    }
    out.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        write_atomically(out / file, text)
    weights = sum(constant.size for constant in tables.pool.constants)
    files = tuple(out / file for file in texts)
    kernels = tuple(table.kernel.name for table in tables.records if table.kernel not in (ETHOS_U, ETHOS_U_END))
    return NpuModel(names.symbol, files, tables.memory.arena, weights, tables.schedule_bytes, kernels)


def _arena(tables: Tables, names: Names) -> Iterator[str]:
    yield f"#define {names.macro}_ARENA_SIZE {tables.memory.arena}u /* bytes; input, output, scratch, scales */"
    yield f"#define {names.macro}_ARENA_ALIGN {LINE}u /* bytes: a line of the data cache */"


def _source(tables: Tables, names: Names, accelerator: str, core: str) -> Iterator[str]:
    yield from opening(tables, names)
    yield from refusal_of_cores(tables, core)
    yield '#include "dimmer_ethos_u.h"'
    yield ""
    yield f"/* Command streams for {comment(accelerator)}: no other NPU takes them. The driver wants them,"
    yield " * and what they read, at multiples of 16 bytes. */"
    count, name = len(tables.pool.table("weights")), names.table("weights")
    yield f"static const union {{\n    int8_t bytes[{count}];\n    int32_t alignment;\n}} {name}"
    yield "    __attribute__((aligned(16))) = {{"
    for constant in tables.pool.constants:
        if constant.table != "weights":
            continue
        yield (
            f"    /* [{constant.index}] {comment(constant.layer)}: {constant.role}, {constant.size} bytes, "
            f"{modes_text(tables, constant.modes)} */"
        )
        yield from constant_rows(constant, 1, 24)
    yield "}};"
    yield ""
    yield from constants_text(tables, names, ("params", "shifts"))
    yield from plan_of_core(tables, names)
