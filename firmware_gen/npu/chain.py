# SPDX-License-Identifier: Apache-2.0
"""A mode as a list of parts: command streams, and between them the steps of the core for what the NPU does not take.

Every part has an area of the arena of its own while it runs: the scratch of a stream, or what the core's steps need.
What one part makes and another reads lies outside of both, copied there and from there. So the data cache is written
back and forgotten in whole areas, and a part never meets another's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import plan_of
from dimmer.firmware_gen.graph.types import Part as TensorPart
from dimmer.firmware_gen.graph.types import Tensor
from dimmer.firmware_gen.kernels.portable import COPY
from dimmer.firmware_gen.kernels.record import Kernel
from dimmer.firmware_gen.lower.steps import Buffer, Scratch, Step, Value, Weights
from dimmer.firmware_gen.memory.arena import Memory
from dimmer.firmware_gen.memory.offsets import Item, place
from dimmer.firmware_gen.memory.share import Block
from dimmer.firmware_gen.npu.compiled import CompiledMode
from dimmer.firmware_gen.npu.kernel import ETHOS_U, ETHOS_U_END, FIRST, LATER, WHOLE
from dimmer.firmware_gen.npu.relink import PIECE_ALIGN, Relinked
from dimmer.firmware_gen.npu.scales import PACKED, PACKED_REGION
from dimmer.firmware_gen.read.modes import ModeSource

LINE = 32
"""Bytes of a line of the data cache, to which everything in the arena is aligned."""


@dataclass(frozen=True, slots=True)
class StreamPart:
    """A command stream.

    Attributes:
        stream: its number among those that were relinked.
        inputs, outputs: numbers of the mode's values, in the stream's order.
    """

    stream: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CorePart:
    """Operators that the core runs.

    Attributes:
        memory: of their one block, planned by itself.
        inputs, outputs: numbers of the mode's values, and where each lies in that memory.
    """

    memory: Memory
    inputs: tuple[tuple[int, int], ...]
    outputs: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """A mode.

    Attributes:
        parts: in their order.
        inputs, outputs: values that are the model's, each with its place in the buffer that holds all of them.
        sizes: bytes of each value that a part hands to another, or that is the model's.
    """

    name: str
    macs: int
    parts: tuple[StreamPart | CorePart, ...]
    inputs: tuple[tuple[int, int], ...]
    outputs: tuple[tuple[int, int], ...]
    sizes: Mapping[int, int]

    @property
    def is_whole(self) -> bool:
        """Whether one stream is the mode, which takes the input and gives the output by itself."""
        return len(self.parts) == 1 and len(self.inputs) == len(self.outputs) == 1


def whole(stream: int, mode: CompiledMode, macs: int) -> Chain:
    """A mode that the NPU runs from its one input to its one output."""
    sizes = {0: mode.inputs[0].size, 1: mode.outputs[0].size}
    return Chain(mode.name, macs, (StreamPart(stream, (0,), (1,)),), ((0, 0),), ((1, 0),), sizes)


def core_part(
    name: str, path: Path, inputs: Sequence[int], outputs: Sequence[int], core: str, scratch_limit: int | None
) -> CorePart:
    """A part for the core.

    Args:
        path: a `.tflite` of these operators alone.
        inputs: values, in the file's order.
        outputs: the same.
        core: as the compiler calls it; decides which variants of kernels there are.

    Raises:
        FirmwareGenError: it has no kernels for them, or no room.
    """
    tables, _ = plan_of([ModeSource(name, path)], PolicyConfig(), None, scratch_limit, core)
    memory = tables.memory
    return CorePart(
        memory,
        _places(inputs, tables.input, tables.inputs, memory.input_offset),
        _places(outputs, tables.output, tables.outputs, memory.output_offset),
    )


def _places(
    values: Sequence[int], tensor: Tensor, parts: Sequence[TensorPart], start: int
) -> tuple[tuple[int, int], ...]:
    offsets = [part.offset for part in parts] or [0]
    if len(offsets) != len(values):
        raise FirmwareGenError(f"{tensor.name}: {len(offsets)} ends for {len(values)} values; convert the mode again")
    return tuple((value, start + offset) for value, offset in zip(values, offsets, strict=True))


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a mode's parts and values lie, counted from where areas begin.

    Attributes:
        areas: of each part.
        values: that lie outside of them.
        size: bytes, of whole lines.
    """

    areas: tuple[int, ...]
    values: Mapping[int, int]
    size: int


def planned(chain: Chain, relinked: Relinked) -> Plan:
    """The plan of one mode."""
    if chain.is_whole:
        return Plan((0,), {}, _area(chain.parts[0], relinked))
    count = len(chain.parts)
    made = {value: at for at, part in enumerate(chain.parts) for value in _outputs(part)}
    last = dict(made)
    for at, part in enumerate(chain.parts):
        last.update((value, at) for value in _inputs(part) if value in made)
    for value, _ in chain.outputs:
        if value in made and made[value] != count - 1:
            last[value] = count
    kept = [value for value in made if last[value] > made[value]]
    items = [Item(_area(part, relinked), 1 << at) for at, part in enumerate(chain.parts)]
    items += [
        Item(lines(chain.sizes[value]), sum(1 << at for at in range(made[value], last[value] + 1))) for value in kept
    ]
    placed = place(items)
    if any(offset % LINE for offset in placed.offsets):
        raise FirmwareGenError(f"mode {chain.name}: an area does not begin with a line of the data cache; report it")
    return Plan(placed.offsets[:count], dict(zip(kept, placed.offsets[count:], strict=True)), lines(placed.arena))


@dataclass(frozen=True, slots=True)
class Places:
    """Where in the arena things of all modes lie: input, output, the areas' beginning, unpacked scales."""

    input: int
    output: int
    areas: int
    unpacked: int


def block_of(chain: Chain, plan: Plan, places: Places, relinked: Relinked) -> Block:
    """The steps of a mode, with their final places."""
    if chain.is_whole:
        part = chain.parts[0]
        assert isinstance(part, StreamPart)
        return _block([_stream(chain, part, WHOLE, places.areas, places, relinked, chain.macs)])
    at = {value: places.input + offset for value, offset in chain.inputs}
    at |= {value: places.areas + offset for value, offset in plan.values.items()}
    own = sum(step.macs for part in chain.parts if isinstance(part, CorePart) for step in _core_block(part).steps)
    steps: list[Step] = []
    order, ends = FIRST, dict[int, int]()
    for number, part in enumerate(chain.parts):
        area = places.areas + plan.areas[number]
        for value, offset in _ends(part, relinked)[0]:
            steps.append(_copy(at[value], area + offset, chain.sizes[value], f"{chain.name}: value {value}"))
        if isinstance(part, StreamPart):
            steps.append(_stream(chain, part, order, area, places, relinked, chain.macs - own if order == FIRST else 0))
            order = LATER
        else:
            steps += _core_steps(part, area)
        for value, offset in _ends(part, relinked)[1]:
            if value in plan.values:
                steps.append(_copy(area + offset, at[value], chain.sizes[value], f"{chain.name}: value {value}"))
            ends[value] = at.get(value, area + offset)
    for value, offset in chain.outputs:
        if value not in ends:
            raise FirmwareGenError(f"mode {chain.name} gives back its input, which no NPU computes: leave it out")
        fields = {"source": ends[value], "target": places.output + offset, "size": chain.sizes[value]}
        steps.append(_step(ETHOS_U_END, f"{chain.name}: output", 0, fields))
    return _block(steps)


def lines(size: int) -> int:
    """Bytes of whole lines of the data cache."""
    return -(-size // LINE) * LINE


def padded(content: bytes) -> bytes:
    """Bytes as they lie in flash, so that what follows starts where the NPU wants it."""
    return content + bytes(-len(content) % PIECE_ALIGN)


def _inputs(part: StreamPart | CorePart) -> tuple[int, ...]:
    return part.inputs if isinstance(part, StreamPart) else tuple(value for value, _ in part.inputs)


def _outputs(part: StreamPart | CorePart) -> tuple[int, ...]:
    return part.outputs if isinstance(part, StreamPart) else tuple(value for value, _ in part.outputs)


def _area(part: StreamPart | CorePart, relinked: Relinked) -> int:
    return lines(relinked.modes[part.stream].scratch_size if isinstance(part, StreamPart) else part.memory.arena)


_Places = Sequence[tuple[int, int]]


def _ends(part: StreamPart | CorePart, relinked: Relinked) -> tuple[_Places, _Places]:
    """Inputs and outputs of a part: value, and where it lies in the part's area."""
    if isinstance(part, CorePart):
        return part.inputs, part.outputs
    mode = relinked.modes[part.stream]
    return (
        [(value, end.offset) for value, end in zip(part.inputs, mode.inputs, strict=True)],
        [(value, end.offset) for value, end in zip(part.outputs, mode.outputs, strict=True)],
    )


def _block(steps: Sequence[Step]) -> Block:
    return Block(tuple(steps), (0,), 0, ("",))


def _step(kernel: Kernel, layer: str, macs: int, fields: Mapping[str, Value]) -> Step:
    values = tuple(fields.get(item.name, (0,) * item.count if item.count else 0) for item in kernel.fields)
    return Step(kernel, values, (), 0, (), 0, macs, layer)


def _copy(source: int, target: int, size: int, layer: str) -> Step:
    row = {"rows": 1, "row_bytes": size, "input_stride": size, "output_stride": size}
    return _step(COPY, layer, 0, {"input": source, "output": target, **row})


def _stream(
    chain: Chain, part: StreamPart, order: int, area: int, places: Places, relinked: Relinked, macs: int
) -> Step:
    mode = relinked.modes[part.stream]
    payload = mode.payload.pack()
    fields: dict[str, Value] = {
        "stream": Weights(padded(payload), (len(payload),)),
        "stream_size": len(payload),
        "constants": Weights(padded(mode.read_only), (len(mode.read_only),)),
        "constants_size": len(mode.read_only),
        "scratch": area,
        "scratch_size": lines(mode.scratch_size),
        "input": mode.inputs[0].offset,
        "output": mode.outputs[0].offset,
        "packed": relinked.packed_at[part.stream] + packed_start(relinked) if mode.packed else 0,
        "unpacked": places.unpacked,
        "packed_count": len(mode.packed) // PACKED,
        "constants_region": mode.read_only_region,
        "scratch_region": mode.scratch_region,
        "packed_region": PACKED_REGION,
        "packed_shift": mode.packed_shift,
        "place": order,
    }
    return _step(ETHOS_U, chain.name if order == WHOLE else mode.name, macs, fields)


def packed_start(relinked: Relinked) -> int:
    """Where the packed scales of all streams lie in flash: behind the streams, which lie behind the blob."""
    return sum(len(content) for _, _, content in npu_constants(relinked)[:-1])


def npu_constants(relinked: Relinked) -> list[tuple[str, str, bytes]]:
    """What the NPU reads, before all that the core does: role, whose, and its bytes, each once and at a multiple of 16
    bytes; the packed scales of all streams last.
    """
    apart = len({mode.read_only for mode in relinked.modes}) > 1
    found = [("weights, scales", mode.name if apart else "the blob", mode.read_only) for mode in relinked.modes]
    found += [("stream", mode.name, mode.payload.pack()) for mode in relinked.modes]
    once: dict[bytes, tuple[str, str, bytes]] = {}
    for role, name, content in found:
        once.setdefault(padded(content), (role, name, padded(content)))
    return [*once.values(), ("scales, packed", "all modes", padded(relinked.packed))]


def _core_block(part: CorePart) -> Block:
    (block,) = part.memory.blocks.blocks
    return block


def _core_steps(part: CorePart, area: int) -> list[Step]:
    """The part's steps, every place in the arena counted from its beginning."""
    found = []
    for number, step in enumerate(_core_block(part).steps):
        values: list[Value] = []
        for value in step.values:
            match value:
                case Buffer():
                    values.append(area + part.memory.offsets[0, value.id] + value.offset)
                case Scratch():
                    values.append(area + part.memory.offsets[0, -1 - number])
                case _:
                    values.append(value)
        found.append(Step(step.kernel, tuple(values), (), 0, (), 0, step.macs, step.layer))
    return found
