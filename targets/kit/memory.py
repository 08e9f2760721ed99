# SPDX-License-Identifier: Apache-2.0
"""The memory of a target without an operating system, which may lie in several regions."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.targets.kit.schema import Table

STACK_SYMBOL = "DIMMER_STACK_SIZE"
"""What a linker script is given for `stack` in [memory]."""
CONSTANTS_SYMBOL = "DIMMER_CONSTANTS_ORIGIN"
"""And for `constants`."""
ARENA_SYMBOL = "DIMMER_ARENA_ORIGIN"
"""And for `arena`."""
WEIGHTS_SYMBOL = "DIMMER_WEIGHTS_ORIGIN"
"""And for `weights`."""
WEIGHTS_SECTION = ".dimmer_weights"
"""Where the model puts its weights, if they have a region of their own."""
ARENA_SECTION = ".dimmer_arena"
"""Where the application puts the arena, if that has a region of its own."""
VECTOR_ALIGNMENT = 512
"""Of a Cortex-M's vector table here: its bytes, as the largest tables have them."""


@dataclass(frozen=True)
class Region:
    """A stretch of memory, in bytes.

    Attributes:
        origin: its first address.
        size: its bytes.
    """

    origin: int
    size: int

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.origin + self.size

    def meets(self, other: Region) -> bool:
        """Whether some address lies in both."""
        return self.origin < other.end and other.origin < self.end


@dataclass(frozen=True)
class Memory:
    """What a bare-metal target has.

    Attributes:
        flash: for code and constants, in bytes.
        ram: for what is written and the stack, in bytes.
        stack: bytes of RAM that are kept free for it; as many as the linker script says where None.
        arena: for the arena alone, where it is not to lie in `ram`.
        constants: where the chip shows the same flash a second time, for reading.
        weights: for the weights alone, where they are not to lie in `flash`.
    """

    flash: Region
    ram: Region
    stack: int | None = None
    arena: Region | None = None
    constants: Region | None = None
    weights: Region | None = None

    @property
    def symbols(self) -> dict[str, int]:
        """As the linker script bare_metal/link.ld wants it."""
        stack = {} if self.stack is None else {STACK_SYMBOL: self.stack}
        arena, weights = self.arena or Region(0, 0), self.weights or Region(0, 0)
        constants = {} if self.constants is None else {CONSTANTS_SYMBOL: self.constants.origin}
        return (
            stack
            | {
                "DIMMER_FLASH_ORIGIN": self.flash.origin,
                "DIMMER_FLASH_SIZE": self.flash.size,
                "DIMMER_RAM_ORIGIN": self.ram.origin,
                "DIMMER_RAM_SIZE": self.ram.size,
                ARENA_SYMBOL: arena.origin,
                "DIMMER_ARENA_SIZE": arena.size,
                WEIGHTS_SYMBOL: weights.origin,
                "DIMMER_WEIGHTS_SIZE": weights.size,
            }
            | constants
        )

    @property
    def readable(self) -> int:
        """The address at which a program reads the first byte of its flash as data."""
        return (self.constants or self.flash).origin

    @property
    def defines(self) -> dict[str, str]:
        """What application and model are compiled with."""
        arena = {} if self.arena is None else {"DIMMER_ARENA_SECTION": f'"{ARENA_SECTION}"'}
        weights = {} if self.weights is None else {"DIMMER_WEIGHTS_SECTION": f'"{WEIGHTS_SECTION}"'}
        return arena | weights

    @property
    def apart(self) -> tuple[str, ...]:
        """Sections that a plain image of the flash cannot hold: they lie elsewhere and have a file of their own."""
        return () if self.weights is None else (WEIGHTS_SECTION,)

    @property
    def kept(self) -> int:
        """Bytes for what is never written, in all regions."""
        return self.flash.size + (0 if self.weights is None else self.weights.size)

    def lacks_flash(self, weights: int, rest: int) -> int:
        """Bytes that are too few for weights and all else that is never written; 0 if it fits."""
        if self.weights is None:
            return max(0, weights + rest - self.flash.size)
        return max(0, weights - self.weights.size) + max(0, rest - self.flash.size)

    def lacks(self, arena: int, rest: int) -> int:
        """Bytes of RAM that are too few for an arena and all else that is written, the stack included; 0 if it fits."""
        if self.arena is None:
            return max(0, arena + rest - self.ram.size)
        return max(0, arena - self.arena.size) + max(0, rest - self.ram.size)


def memory_of(table: Table | None, cortex_m: bool) -> Memory | None:
    """What [memory] says.

    Args:
        cortex_m: whether the flash begins with a vector table.

    Raises:
        TargetError: a key is missing, unknown or out of its bounds, or two regions meet.
    """
    if table is None:
        return None
    memory = Memory(
        _region(table.table("flash")),
        _region(table.table("ram")),
        table.optional_natural("stack"),
        _optional(table.optional_table("arena")),
        _optional(table.optional_table("constants")),
        _optional(table.optional_table("weights")),
    )
    if memory.stack is not None and memory.stack % 8 != 0:
        raise table.fail(f"'stack' is {memory.stack}: give it a multiple of 8 bytes", "stack")
    if memory.stack is not None and memory.stack > memory.ram.size:
        raise table.fail(f"'stack' is {memory.stack}: 'ram' has {memory.ram.size} bytes in all", "stack")
    named = {
        "flash": memory.flash,
        "ram": memory.ram,
        "arena": memory.arena,
        "constants": memory.constants,
        "weights": memory.weights,
    }
    regions = [(name, region) for name, region in named.items() if region is not None]
    for number, (name, region) in enumerate(regions):
        for other, before in regions[:number]:
            if region.meets(before):
                raise table.fail(f"'{name}' and '{other}' have addresses in common, from {region.origin:#x} on", name)
    if cortex_m and memory.flash.origin % VECTOR_ALIGNMENT:
        raise table.fail(
            f"'flash' begins at {memory.flash.origin:#x}: the vector table needs a multiple of {VECTOR_ALIGNMENT}",
            "flash",
        )
    for name in ("ram", "arena"):
        place = named[name]
        if place is not None and place.origin % 16:
            raise table.fail(f"'{name}' begins at {place.origin:#x}: arena and stack need a multiple of 16 bytes", name)
    table.finish()
    return memory


def _optional(table: Table | None) -> Region | None:
    return None if table is None else _region(table)


def _region(table: Table) -> Region:
    region = Region(origin=table.natural("origin"), size=table.natural("size"))
    if region.size == 0 or region.origin + region.size > 1 << 32:
        raise table.fail("the region is empty or goes beyond 4 GiB")
    table.finish()
    return region
