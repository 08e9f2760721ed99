# SPDX-License-Identifier: Apache-2.0
"""Copies that need not be made: a slice is read where it lies, and what is concatenated is computed in its place.

Both end in a COPY of one unbroken run of bytes, which a slice, split or concatenation along the outermost dimension
is, several inputs and outputs of a model among them. Its source then lies within its output (a part), or its output
within its source (a view), and the step goes. Where that could change a byte, or move a tensor off the boundary of a
word that its kernels read it by, the copy stays.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace

from dimmer.firmware_gen.kernels import portable as k
from dimmer.firmware_gen.kernels.record import Kernel
from dimmer.firmware_gen.lower.steps import Buffer, Step, Value
from dimmer.firmware_gen.memory.share import Block, without_unused

WORD = 4
_ANY_ADDRESS = frozenset(kernel.name for kernel in k.KERNELS) - {k.QUANTIZE_F32.name, k.DEQUANTIZE_F32.name}
"""Kernels that take bytes at any address. Others read words where a tensor begins on one."""

Extent = tuple[int, int]
"""First byte and end within a buffer."""


@dataclass(frozen=True, slots=True)
class Alias:
    """A tensor within the buffer of another one.

    Attributes:
        name: of the tensor.
        buffer: of the block, that it lies in.
        offset: bytes into it.
        size: bytes.
        part: whether it is computed there; else it is read there.
        step: of the block before, the copy that is not made.
    """

    name: str
    buffer: int
    offset: int
    size: int
    part: bool
    step: int


@dataclass(frozen=True, slots=True)
class Aliased:
    """A block without some of its copies, and where the tensors lie that were copied."""

    block: Block
    aliases: tuple[Alias, ...]


def alias(block: Block, *, views: bool = True, parts: bool = True, allowed: Set[int] | None = None) -> Aliased:
    """Drops the copies that change nothing.

    Args:
        views: whether slices may be read where they lie.
        parts: whether what is concatenated may be computed in its place.
        allowed: steps of the block that may go; all where None.
    """
    work = _Work(block)
    for number in range(len(block.steps)):
        if allowed is None or number in allowed:
            if views and work.view(number):
                continue
            if parts:
                work.part(number)
    return work.result()


@dataclass(frozen=True, slots=True)
class _Copy:
    source: Buffer
    output: Buffer
    size: int


class _Work:
    def __init__(self, block: Block) -> None:
        self.block = block
        self.steps: dict[int, Step] = dict(enumerate(block.steps))
        self.extents = {number: _extent(step, block) for number, step in self.steps.items()}
        self.found: list[Alias] = []
        # States that a kernel changes, although they are not its output.
        self.changed = {
            value.id
            for step in block.steps
            for name, value in step.fields.items()
            if isinstance(value, Buffer) and name.endswith("state")
        }

    def view(self, number: int) -> bool:
        """Whether the copy's output is now read where its source lies."""
        copy = _copy(self.steps[number])
        if copy is None:
            return False
        source, output = copy.source.id, copy.output.id
        if output in (0, self.block.output, *self.block.lasting) or source in self.changed or source == output:
            return False
        if copy.output.offset or copy.size != self.block.sizes[output] or self._writers(output) != [number]:
            return False
        last = max((at for at, step in self.steps.items() if output in step.reads), default=number)
        if any(number <= writer <= last for writer in self._writers(source)):
            return False
        return self._moved(number, output, copy.source, part=False)

    def part(self, number: int) -> bool:
        """Whether the copy's source is now computed where its output lies."""
        copy = _copy(self.steps[number])
        if copy is None:
            return False
        source, output = copy.source.id, copy.output.id
        fixed = (0, self.block.output, *self.block.lasting)
        if source in fixed or output in (0, *self.block.lasting) or source in self.changed or source == output:
            return False
        writers = self._writers(source)
        if copy.source.offset or copy.size != self.block.sizes[source] or not writers or writers[-1] >= number:
            return False
        low, high = copy.output.offset, copy.output.offset + copy.size
        for other in self._writers(output):
            begin, end = self.extents[other]
            if other != number and begin < high and low < end:
                return False
        return self._moved(number, source, copy.output, part=True)

    def result(self) -> Aliased:
        """The block with what is left."""
        left = replace(self.block, steps=tuple(step for _, step in sorted(self.steps.items())))
        kept, ids = without_unused(left)
        return Aliased(kept, tuple(replace(one, buffer=ids[one.buffer]) for one in self.found))

    def _writers(self, buffer: int) -> list[int]:
        return [at for at, step in sorted(self.steps.items()) if step.writes == buffer]

    def _moved(self, number: int, buffer: int, to: Buffer, *, part: bool) -> bool:
        """Puts a buffer into another one, unless a kernel could not run there."""
        changed: dict[int, Step] = {}
        for at, step in self.steps.items():
            if at != number and (buffer in step.reads or buffer == step.writes):
                moved = self._with(step, buffer, to)
                if not _aligned(moved):
                    return False
                changed[at] = moved
        # Tensors that lie within it already move along.
        self.found = [
            replace(one, buffer=to.id, offset=to.offset + one.offset) if one.buffer == buffer else one
            for one in self.found
        ]
        name, size = self.block.names[buffer], self.block.sizes[buffer]
        self.found.append(Alias(name, to.id, to.offset, size, part, number))
        for at, step in changed.items():
            if self.steps[at].writes == buffer:
                low, high = self.extents[at]
                self.extents[at] = (low + to.offset, high + to.offset)
            self.steps[at] = step
        del self.steps[number]
        return True

    def _with(self, step: Step, buffer: int, to: Buffer) -> Step:
        def placed(value: Value) -> Value:
            if isinstance(value, Buffer) and value.id == buffer:
                return Buffer(to.id, to.offset + value.offset)
            return value

        whole = to.offset == 0 and self.block.sizes[buffer] == self.block.sizes[to.id]
        moved = replace(
            step,
            values=tuple(map(placed, step.values)),
            reads=tuple(dict.fromkeys(to.id if read == buffer else read for read in step.reads)),
            writes=to.id if step.writes == buffer else step.writes,
        )
        # A result may take the place of an operand that is a buffer of its own, and that the step reads once.
        kept = [to.id if one == buffer else one for one in step.in_place if one != buffer or whole]
        if step.writes == buffer and not whole:
            kept = []
        places = [value for value in moved.values if isinstance(value, Buffer)]
        alone = [one for one in kept if len({place for place in places if place.id == one}) == 1]
        return replace(moved, in_place=tuple(dict.fromkeys(alone)))


def copies(block: Block) -> Iterator[int]:
    """Steps of a block that copy one unbroken run."""
    return (number for number, step in enumerate(block.steps) if _copy(step) is not None)


def copied_bytes(block: Block) -> int:
    """What the copies of `copies` move."""
    return sum(found.size for step in block.steps if (found := _copy(step)) is not None)


def _copy(step: Step) -> _Copy | None:
    """What an unbroken copy copies; None where the step is another one."""
    if step.kernel != k.COPY:
        return None
    fields = step.fields
    source, output = fields["input"], fields["output"]
    rows, run = _number(fields["rows"]), _number(fields["row_bytes"])
    unbroken = rows == 1 or fields["input_stride"] == fields["output_stride"] == run
    if not (isinstance(source, Buffer) and isinstance(output, Buffer) and unbroken):
        return None
    return _Copy(source, output, rows * run)


def _extent(step: Step, block: Block) -> Extent:
    """What a step writes of its output's buffer."""
    fields = step.fields
    output = fields.get("output")
    if not isinstance(output, Buffer):
        return 0, block.sizes[step.writes]
    if step.kernel == k.COPY:
        rows, run, stride = (_number(fields[name]) for name in ("rows", "row_bytes", "output_stride"))
        return output.offset, output.offset + (rows - 1) * stride + run
    if step.kernel in (k.TRANSPOSE, k.TAKE) and isinstance(fields["dims"], tuple):
        return output.offset, output.offset + math.prod(fields["dims"])
    return 0, block.sizes[step.writes]


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value} in a record where a number belongs")
    return value


def _aligned(step: Step) -> bool:
    """Whether a kernel finds its tensors where it can read them."""
    return _takes_any_address(step.kernel) or all(
        value.offset % WORD == 0 for value in step.values if isinstance(value, Buffer)
    )


def _takes_any_address(kernel: Kernel) -> bool:
    return kernel.name in _ANY_ADDRESS
