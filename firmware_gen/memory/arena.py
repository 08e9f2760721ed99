# SPDX-License-Identifier: Apache-2.0
"""The memory of all modes: which buffers share bytes by construction, when each is live, and where each lies in the one
arena.

Modes never run at the same time and meet only at boundaries. So time is the row of all different blocks' steps, one
block after the other, and the only buffers that live in more than one block are the boundary tensors. Where a mode
skips a position, the boundaries before and after it are one buffer (a slot); a whole stage therefore has one slot, and
the ADD that ends a residual block works in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dimmer.firmware_gen.lower.steps import Buffer, copy
from dimmer.firmware_gen.memory.alias import Alias, Aliased, alias, copied_bytes, copies
from dimmer.firmware_gen.memory.offsets import Item, Placement, aligned, place
from dimmer.firmware_gen.memory.share import Block, BlockSet

MOST_TRIED = 24
"""Copies that are left out one by one, where leaving out all of them takes more of the arena."""
Node = tuple[int, int]
"""A buffer of a block: block index, buffer id; the id -1 - s is the scratch buffer of step s."""


@dataclass(frozen=True, slots=True)
class PlannedBuffer:
    """A buffer in the arena, as one mode sees it; steps count through that mode's whole inference.

    Attributes:
        within: name of the buffer that it is a slice of, with that one's steps; empty where it has bytes of its own.
    """

    mode: int
    name: str
    offset: int
    size: int
    first_step: int
    last_step: int
    within: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """The arena of a set of modes.

    Attributes:
        blocks: as given, with copies added where a boundary could not be reached in place.
        offsets: of every node.
        arena: bytes, scratch included.
        lower_bound: of `arena`.
        arena_without_scratch: bytes that the tensors alone need.
        scratch: bytes of the largest scratch buffer.
        input_offset: of the model's input.
        output_offset: of the model's output.
        buffers: every buffer of every mode, and the tensors that lie within one.
    """

    blocks: BlockSet
    offsets: dict[Node, int]
    arena: int
    lower_bound: int
    arena_without_scratch: int
    scratch: int
    input_offset: int
    output_offset: int
    buffers: tuple[PlannedBuffer, ...]


class _Groups:
    """Nodes that lie at one offset."""

    def __init__(self) -> None:
        self.parent: dict[Node, Node] = {}
        self.members: dict[Node, list[Node]] = {}

    def add(self, node: Node) -> None:
        if node not in self.parent:
            self.parent[node] = node
            self.members[node] = [node]

    def find(self, node: Node) -> Node:
        while self.parent[node] != node:
            self.parent[node] = self.parent[self.parent[node]]
            node = self.parent[node]
        return node

    def join(self, first: Node, second: Node) -> None:
        first, second = self.find(first), self.find(second)
        if first != second:
            self.parent[second] = first
            self.members[first] += self.members.pop(second)


def plan_memory(blocks: BlockSet) -> Memory:
    """Plans the arena: twice, with boundary slots alone and with all in-place operators, and keeps the smaller.

    Copies that need not be made are not, as many as leave the arena as small as it is with them. What is computed in
    the place of a boundary tensor may cost one anew (`_with_copies`): then fewer go.
    """
    best = _planned([Aliased(block, ()) for block in blocks.blocks], blocks)
    limit = best.placement.arena
    possible = [(index, step) for index, block in enumerate(blocks.blocks) for step in copies(block)]
    if not possible:
        return best.memory()
    tries: list[tuple[bool, bool]] = [(True, True), (True, False), (False, True)]
    for views, parts in tries:
        found = [alias(block, views=views, parts=parts) for block in blocks.blocks]
        if any(one.aliases for one in found):
            plan = _planned(found, blocks)
            if plan.placement.arena <= limit and plan.copied < best.copied:
                return plan.memory()
    if len(possible) > MOST_TRIED:
        return best.memory()
    taken: set[Node] = set()
    for copied in possible:
        found = [
            alias(block, allowed={step for index, step in (*taken, copied) if index == number})
            for number, block in enumerate(blocks.blocks)
        ]
        if sum(len(one.aliases) for one in found) > len(taken):
            plan = _planned(found, blocks)
            if plan.placement.arena <= limit and plan.copied < best.copied:
                best = plan
                taken.add(copied)
    return best.memory()


def _planned(found: Sequence[Aliased], blocks: BlockSet) -> _Plan:
    blocks = _with_copies(replace(blocks, blocks=tuple(one.block for one in found)))
    plans = [_Plan(blocks, [one.aliases for one in found], merge=merge) for merge in (True, False)]
    return min(plans, key=lambda plan: plan.placement.arena)


def _slots(blocks: BlockSet) -> list[int]:
    """For each boundary the first boundary of its slot."""
    count = max(blocks.positions) + 2
    slots = list(range(count))
    for block, position in zip(blocks.blocks, blocks.positions, strict=True):
        if not block.steps:
            low, high = slots[position], slots[position + 1]
            slots = [low if slot == high else slot for slot in slots]
    return slots


def _last_uses(block: Block) -> list[int]:
    last = [-1] * len(block.sizes)
    for index, step in enumerate(block.steps):
        for buffer in step.reads:
            last[buffer] = index
    return last


def _first_writes(block: Block) -> list[int]:
    first = [0] * len(block.sizes)
    for index in range(len(block.steps) - 1, -1, -1):
        first[block.steps[index].writes] = index
    return first


def _with_copies(blocks: BlockSet) -> BlockSet:
    """Where input and output of a block share a slot and its last operator cannot work in place, it writes elsewhere
    and a copy follows.
    """
    slots = _slots(blocks)
    changed = []
    for block, position in zip(blocks.blocks, blocks.positions, strict=True):
        if block.steps and slots[position] == slots[position + 1]:
            written, read = _first_writes(block)[block.output], _last_uses(block)[0]
            step = block.steps[written]
            if not (read < written or (read == written and 0 in step.in_place and step.writes == block.output)):
                block = _copied(block)
        changed.append(block)
    return replace(blocks, blocks=tuple(changed))


def _copied(block: Block) -> Block:
    output = len(block.sizes)
    size, name = block.sizes[block.output], block.names[block.output]
    step = copy(Buffer(block.output), Buffer(output), size, name)
    return replace(
        block, steps=(*block.steps, step), sizes=(*block.sizes, size), output=output, names=(*block.names, name)
    )


class _Plan:
    def __init__(self, blocks: BlockSet, aliases: Sequence[Sequence[Alias]], *, merge: bool) -> None:
        self.blocks = blocks
        self.aliases = aliases
        self.live: dict[Node, int] = {}
        self.size: dict[Node, int] = {}
        self.pairs: set[tuple[int, Node, Node]] = set()
        self.groups = _Groups()
        self.slots = _slots(blocks)
        self.ends: dict[int, list[Node]] = {slot: [] for slot in self.slots}
        self._measure()
        for nodes in self.ends.values():
            for node in nodes[1:]:
                self.groups.join(nodes[0], node)
        if merge:
            self._merge()
        self.roots = [root for root in self.groups.members if self._live(root)]
        self.placement = self._place(self.roots)

    @property
    def copied(self) -> int:
        """Bytes that unbroken copies move, in all blocks."""
        return sum(copied_bytes(block) for block in self.blocks.blocks)

    def _measure(self) -> None:
        now = 0
        for index, (block, position) in enumerate(zip(self.blocks.blocks, self.blocks.positions, strict=True)):
            last, first = _last_uses(block), _first_writes(block)
            count = len(block.steps)
            lasting = block.lasting
            for buffer, size in enumerate(block.sizes):
                node = (index, buffer)
                begin = 0 if buffer == 0 or buffer in lasting else first[buffer]
                end = count - 1 if buffer == block.output or buffer in lasting else max(last[buffer], begin)
                self.live[node] = sum(1 << (now + step) for step in range(begin, end + 1)) if count else 0
                self.size[node] = size
                self.groups.add(node)
            self.ends[self.slots[position]].append((index, 0))
            self.ends[self.slots[position + 1]].append((index, block.output))
            for number, step in enumerate(block.steps):
                if step.scratch_bytes:
                    node = (index, -1 - number)
                    self.live[node], self.size[node] = 1 << (now + number), step.scratch_bytes
                    self.groups.add(node)
                for source in step.in_place:
                    lasts = source in lasting or source == block.output
                    if first[step.writes] == number and last[source] == number and not lasts:
                        self.pairs.add((now + number, (index, step.writes), (index, source)))
            now += count

    def _live(self, root: Node) -> int:
        mask = 0
        for node in self.groups.members[root]:
            mask |= self.live[node]
        return mask

    def _merge(self) -> None:
        for _, output, source in sorted(self.pairs):
            if aligned(self.size[output]) != aligned(self.size[source]):
                continue
            first, second = self.groups.find(output), self.groups.find(source)
            if first != second and self._can_join(first, second):
                self.groups.join(first, second)

    def _can_join(self, first: Node, second: Node) -> bool:
        """Where both are live, only an in-place operator's output and the input that it overwrites may meet."""
        both = self._live(first) & self._live(second)
        while both:
            bit = both & -both
            both ^= bit
            now = bit.bit_length() - 1
            one = [node for node in self.groups.members[first] if self.live[node] & bit]
            other = [node for node in self.groups.members[second] if self.live[node] & bit]
            if len(one) != 1 or len(other) != 1:
                return False
            if (now, one[0], other[0]) not in self.pairs and (now, other[0], one[0]) not in self.pairs:
                return False
        return True

    def _place(self, roots: Sequence[Node]) -> Placement:
        return place(
            [Item(max(self.size[node] for node in self.groups.members[root]), self._live(root)) for root in roots]
        )

    def memory(self) -> Memory:
        at = dict(zip(self.roots, self.placement.offsets, strict=True))
        offsets = {node: at.get(self.groups.find(node), 0) for node in self.groups.parent}
        tensors = [root for root in self.roots if root[1] >= 0]
        first = self.ends[self.slots[0]][0]
        last = self.ends[self.slots[-1]][0]
        ends = [max(self.size[node] for node in self.groups.members[self.groups.find(end)]) for end in (first, last)]
        arena = max(
            self.placement.arena, *(aligned(offsets[end] + size) for end, size in zip((first, last), ends, strict=True))
        )
        return Memory(
            self.blocks,
            offsets,
            arena,
            self.placement.lower_bound,
            self._place(tensors).arena,
            max((step.scratch_bytes for block in self.blocks.blocks for step in block.steps), default=0),
            offsets[first],
            offsets[last],
            tuple(self._buffers(offsets)),
        )

    def _buffers(self, offsets: dict[Node, int]) -> list[PlannedBuffer]:
        found = []
        for mode, schedule in enumerate(self.blocks.schedules):
            now = 0
            for index in schedule:
                block = self.blocks.blocks[index]
                start = sum(len(earlier.steps) for earlier in self.blocks.blocks[:index])
                for node, mask in self.live.items():
                    if node[0] != index or not mask:
                        continue
                    begin = (mask & -mask).bit_length() - 1 - start + now
                    end = mask.bit_length() - 1 - start + now
                    name = block.names[node[1]] if node[1] >= 0 else f"scratch of {block.steps[-1 - node[1]].layer}"
                    found.append(PlannedBuffer(mode, name, offsets[node], self.size[node], begin, end))
                    found += [
                        PlannedBuffer(mode, one.name, offsets[node] + one.offset, one.size, begin, end, name)
                        for one in self.aliases[index]
                        if one.buffer == node[1]
                    ]
                now += len(block.steps)
        return found
