# SPDX-License-Identifier: Apache-2.0
"""Cycles of a firmware: how often each block ran, times what the table of the core says of its instructions.

What it knows: the cycles of each instruction, loads that follow each other, addresses that are waited for, the refill
of the pipeline where a branch is taken, misses of an instruction cache. What it does not know: wait states of data in
flash, contention on a bus, operands that end a multiplication or a division early, and that an instruction which an IT
block skips takes one cycle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dimmer.firmware_gen.variants.latency import FITTED, Latency
from dimmer.targets.timing.code import Code, Instruction
from dimmer.targets.timing.errors import NotModelledError
from dimmer.targets.timing.kinds import ADDRESSED, FLASH, GROUPS, PROCESSING, Kind, group_of, kind_of, writes
from dimmer.targets.timing.tables import Cost, Table
from dimmer.targets.timing.trace import Block

_PIPELINED = {Kind.LOAD, Kind.STORE_REGISTER_OFFSET}


@dataclass(frozen=True)
class Timing:
    """What a chip adds to its core's table of cycles.

    Attributes:
        branch_refill: cycles to refill the pipeline where a branch is taken; 1 on Cortex-M0+, 1 to 3 elsewhere.
        wait_states: cycles that an access to the flash takes longer.
        fetch_bytes: bytes that one access to the flash gives.
        cache_lines: how many of these are kept for the next time: lines of the instruction cache.
        multiply_add_long: as in [latency], where it belongs; it stood here before there was that table.
        latency: of the core, as [latency] tells it.
    """

    branch_refill: int
    wait_states: int = 0
    fetch_bytes: int = 16
    cache_lines: int = 1
    multiply_add_long: int | None = None
    latency: Latency = FITTED


@dataclass(frozen=True)
class Share:
    """What a function took, without those that it calls."""

    instructions: int
    cycles: int


@dataclass(frozen=True)
class Stretch:
    """What ran between two readings of the firmware's counter.

    Attributes:
        functions: name -> its share.
        spent: group of instructions (`GROUPS`) -> its cycles.
    """

    instructions: int
    cycles: int
    functions: Mapping[str, Share]
    spent: Mapping[str, int]


@dataclass
class Model:
    """A core's cycles for a firmware.

    Attributes:
        table: of the core.
        timing: of the chip.
        code: of the firmware.
    """

    table: Table
    timing: Timing
    code: Code
    _kept: dict[tuple[int, int], Counter[str]] = field(default_factory=dict)

    def stretch(self, blocks: Sequence[Block]) -> Stretch:
        """What the blocks took.

        Raises:
            NotModelledError: the table does not know an instruction, or the blocks are not this firmware's.
        """
        instructions: Counter[str] = Counter()
        cycles: Counter[str] = Counter()
        spent: Counter[str] = Counter()
        for block in blocks:
            name, found = self._function(block.first), self._cycles(block)
            instructions[name] += block.instructions * block.runs
            cycles[name] += found.total()
            spent.update(found)
        functions = {name: Share(instructions[name], cycles[name]) for name in cycles}
        by_group = {group: spent[group] for group in GROUPS if spent[group]}
        return Stretch(instructions.total(), cycles.total(), functions, by_group)

    def _cycles(self, block: Block) -> Counter[str]:
        """Of all runs of a block, by group."""
        found = Counter({group: block.runs * cycles for group, cycles in self._once(block).items()})
        found[FLASH] += block.misses * self.timing.wait_states
        last = self._at(block.last)
        if self._cost(last).refills:
            taken = sum(edge.runs for edge in block.edges if edge.to != block.end)
            found[group_of(last)] += taken * self.timing.branch_refill
            return found
        # The emulator ended the block in the middle of a run of instructions; the next one belongs to the same run.
        for edge in block.edges:
            if edge.to == block.end:
                following = self._at(edge.to)
                change = self.cycles(following, last) - self.cycles(following, None)
                found[group_of(following)] += edge.runs * change
        return found

    def _once(self, block: Block) -> Counter[str]:
        """Of one run, by group, without refills and misses."""
        key = block.first, block.instructions
        if key not in self._kept:
            total: Counter[str] = Counter()
            address, before = block.first, None
            for number in range(block.instructions):
                instruction = self._at(address)
                total[group_of(instruction)] += self.cycles(instruction, before)
                before = instruction
                if number < block.instructions - 1:
                    address = self.code.following.get(address, -1)
            if address != block.last:
                raise NotModelledError(f"the block at {block.first:#x} ends elsewhere than the disassembler says")
            self._kept[key] = total
        return self._kept[key]

    def cycles(self, instruction: Instruction, before: Instruction | None) -> int:
        """Of one instruction behind another one, without a refill.

        Args:
            before: None where a branch leads to the instruction.
        """
        kind, cost = kind_of(instruction), self._cost(instruction)
        found = getattr(self.timing.latency, cost.chosen) if cost.chosen else cost.cycles
        found += cost.per_register * instruction.words
        if before is None or kind not in ADDRESSED:
            return found
        waits = bool(writes(before) & instruction.address)
        if self.table.pairs_loads and kind_of(before) is Kind.LOAD and kind in _PIPELINED and not waits:
            found -= 1
        if waits and kind_of(before) in PROCESSING:
            found += self.table.waits_for_address
        return found

    def _cost(self, instruction: Instruction) -> Cost:
        kind = kind_of(instruction)
        if kind not in self.table.costs:
            raise NotModelledError(f"the table of {self.table.core} has no cycles of {instruction.mnemonic}")
        return self.table.costs[kind]

    def _at(self, address: int) -> Instruction:
        if address not in self.code.at:
            raise NotModelledError(f"the disassembler finds no instruction at {address:#x}, where one ran")
        return self.code.at[address]

    def _function(self, address: int) -> str:
        self._at(address)
        return self.code.function[address]
