# SPDX-License-Identifier: Apache-2.0
"""What the modes of a network have in common: blocks, and the constants that their records point to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from dimmer.firmware_gen.graph.passes import Network
from dimmer.firmware_gen.lower.operators import lower
from dimmer.firmware_gen.lower.states import GUARD_BYTES, begin_states
from dimmer.firmware_gen.lower.steps import Buffer, Params, Shifts, Step, Value, Weights

WEIGHTS_ALIGN = 4
ELEMENTS = {"weights": 1, "params": 4, "shifts": 1}
"""Table -> bytes of an element."""


@dataclass(frozen=True, slots=True)
class Block:
    """The steps of one position in one or more modes. Blocks are equal when they compute the same.

    Attributes:
        sizes: bytes of each buffer; buffer 0 is the boundary tensor before the block.
        output: buffer id of the boundary tensor after the block, 0 where the block is empty.
        names: tensor name of each buffer.
        lasting: buffers whose bytes are kept from one inference to the next.
    """

    steps: tuple[Step, ...]
    sizes: tuple[int, ...]
    output: int
    names: tuple[str, ...] = field(compare=False)
    lasting: tuple[int, ...] = ()

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations of the block."""
        return sum(step.macs for step in self.steps)


@dataclass(frozen=True, slots=True)
class BlockSet:
    """The blocks of all modes.

    Attributes:
        blocks: each different block once, ordered by position, then by the first mode that has it.
        positions: the position of each block.
        schedules: for each mode and position an index into `blocks`.
    """

    blocks: tuple[Block, ...]
    positions: tuple[int, ...]
    schedules: tuple[tuple[int, ...], ...]

    def modes_of(self, block: int) -> tuple[int, ...]:
        """Modes that run a block."""
        return tuple(mode for mode, schedule in enumerate(self.schedules) if block in schedule)


def build_block(network: Network, position: int) -> Block:
    """Lowers the operators of one position."""
    tensors, storage = network.graph.tensors, network.storage
    first = storage[network.boundaries[position]]
    ids = {first: 0}

    def buffer(index: int) -> int:
        return ids.setdefault(storage[index], len(ids))

    steps = tuple(step for operator in network.positions[position] for step in lower(network.graph, operator, buffer))
    output = ids[storage[network.boundaries[position + 1]]]
    sizes, names = [tensors[index].size for index in ids], [tensors[index].name for index in ids]
    states = [state for state in network.graph.states if state.tensor in ids]
    lasting = tuple(ids[state.tensor] for state in states)
    if states:
        guard = len(ids)
        sizes, names, lasting = [*sizes, GUARD_BYTES], [*names, "whether the state was set"], (*lasting, guard)
        steps = (*begin_states([(ids[s.tensor], s.initial, tensors[s.tensor].name) for s in states], guard), *steps)
    return Block(steps, tuple(sizes), output, tuple(names), lasting)


def without_unused(block: Block) -> tuple[Block, dict[int, int]]:
    """The block without the buffers that no step touches any more, and old id -> new id of the others."""
    used = {0, block.output, *block.lasting}.union(*({*step.reads, step.writes} for step in block.steps))
    kept = [buffer for buffer in range(len(block.sizes)) if buffer in used]
    ids = {buffer: number for number, buffer in enumerate(kept)}

    def renumbered(value: Value) -> Value:
        return Buffer(ids[value.id], value.offset) if isinstance(value, Buffer) else value

    steps = tuple(
        replace(
            step,
            values=tuple(map(renumbered, step.values)),
            reads=tuple(ids[buffer] for buffer in step.reads),
            writes=ids[step.writes],
            in_place=tuple(ids[buffer] for buffer in step.in_place if buffer in ids),
        )
        for step in block.steps
    )
    sizes, names = tuple(block.sizes[at] for at in kept), tuple(block.names[at] for at in kept)
    return Block(steps, sizes, ids[block.output], names, tuple(ids[buffer] for buffer in block.lasting)), ids


def share_blocks(networks: Sequence[Network]) -> BlockSet:
    """Finds the blocks that modes share; modes must have passed `check_boundaries`."""
    count = len(networks[0].positions)
    blocks: list[Block] = []
    positions: list[int] = []
    columns: list[list[int]] = []
    for position in range(count):
        known: dict[Block, int] = {}
        column = []
        for network in networks:
            block = build_block(network, position)
            if block not in known:
                known[block] = len(blocks)
                blocks.append(block)
                positions.append(position)
            column.append(known[block])
        columns.append(column)
    return BlockSet(tuple(blocks), tuple(positions), tuple(zip(*columns, strict=True)))


@dataclass(frozen=True, slots=True)
class Constant:
    """A run of values in one of the three tables, stored once.

    Attributes:
        table: "weights", "params" or "shifts".
        role: the record's field, such as "bias".
        layer: the first layer that uses it.
        shape: of the values.
        index: of its first value in the table.
        size: bytes in flash.
        modes: that use it.
        data: the values' bytes, little-endian.
    """

    table: str
    role: str
    layer: str
    shape: tuple[int, ...]
    index: int
    size: int
    modes: tuple[int, ...]
    data: bytes


class ConstantPool:
    """Collects the constants of all steps, equal ones once.

    Args:
        order: constants that are known to come, in the order in which they are to lie.
    """

    def __init__(self, order: Sequence[Constant] = ()) -> None:
        self._sizes = {"weights": 0, "params": 0, "shifts": 0}
        self._constants: dict[tuple[str, bytes], Constant] = {}
        for constant in order:
            self._place(replace(constant, modes=()))

    def add(self, value: Weights | Params | Shifts, role: str, layer: str, modes: tuple[int, ...]) -> int:
        """Stores a constant and gives the index of its first value in its table."""
        match value:
            case Weights():
                table, data, shape = "weights", value.data, value.shape
            case Params():
                data = b"".join((number & 0xFFFFFFFF).to_bytes(4, "little") for number in value.values)
                table, shape = "params", (len(value.values),)
            case Shifts():
                data = bytes(number & 0xFF for number in value.values)
                table, shape = "shifts", (len(value.values),)
        key = (table, data)
        known = self._constants.get(key)
        if known is None:
            return self._place(Constant(table, role, layer, shape, 0, len(data), modes, data))
        self._constants[key] = replace(known, modes=tuple(sorted({*known.modes, *modes})))
        return known.index

    def _place(self, constant: Constant) -> int:
        table, size = constant.table, constant.size
        index = self._sizes[table] // ELEMENTS[table]
        self._constants[table, constant.data] = replace(constant, index=index)
        self._sizes[table] += -(-size // WEIGHTS_ALIGN) * WEIGHTS_ALIGN if table == "weights" else size
        return index

    @property
    def constants(self) -> tuple[Constant, ...]:
        """All of them, in the order of their tables' contents."""
        return tuple(self._constants.values())

    def table(self, name: str) -> bytes:
        """The bytes of one table."""
        data = bytearray()
        for constant in self.constants:
            if constant.table == name:
                data += constant.data
                if name == "weights":
                    data += bytes(-len(data) % WEIGHTS_ALIGN)
        return bytes(data)
