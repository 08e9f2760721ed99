# SPDX-License-Identifier: Apache-2.0
"""What a step is made of: a kernel, and a value for each field of its record."""

from __future__ import annotations

from dataclasses import dataclass, field

from dimmer.firmware_gen.kernels.portable import COPY
from dimmer.firmware_gen.kernels.record import Kernel


@dataclass(frozen=True, slots=True)
class Buffer:
    """A place in the arena: `offset` bytes into buffer `id` of the block."""

    id: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Scratch:
    """The scratch buffer of the step itself."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Bytes of the weights blob, row-major int8[shape]."""

    data: bytes
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Params:
    """A run of int32 values of the params table."""

    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shifts:
    """A run of int8 values of the shifts table."""

    values: tuple[int, ...]


Value = int | float | tuple[int, ...] | Buffer | Scratch | Weights | Params | Shifts


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a kernel within a block. Steps are equal when they compute the same, whatever their layers are
    called.

    Attributes:
        values: one for each field of the kernel's record.
        reads: buffer ids.
        writes: buffer id.
        in_place: ids of the buffers that the output may overwrite.
        scratch_bytes: size of its scratch buffer.
        macs: multiply-accumulate operations.
        layer: name of the output tensor.
        input_high: no code of its first input is above this, as was proven.
    """

    kernel: Kernel
    values: tuple[Value, ...]
    reads: tuple[int, ...]
    writes: int
    in_place: tuple[int, ...]
    scratch_bytes: int
    macs: int
    layer: str = field(compare=False)
    input_high: int = 127

    @property
    def fields(self) -> dict[str, Value]:
        """The record's values by name."""
        return {item.name: value for item, value in zip(self.kernel.fields, self.values, strict=True)}


def step(
    kernel: Kernel,
    layer: str,
    macs: int = 0,
    scratch_bytes: int = 0,
    in_place: tuple[int, ...] = (),
    input_high: int = 127,
    **values: Value,
) -> Step:
    """A step from its record's fields by name; `reserved` fields are zero, and what it reads and writes follows from
    its buffers.
    """
    record: list[Value] = []
    reads: list[int] = []
    writes = -1
    for item in kernel.fields:
        value: Value = (0,) * item.count if item.count else 0
        if not item.reserved:
            value = values.pop(item.name)
        record.append(value)
        if isinstance(value, Buffer):
            if item.name == "output":
                writes = value.id
            else:
                reads.append(value.id)
    if values or writes < 0:
        raise TypeError(f"{kernel.name} has no field {', '.join(values) or 'output'}")
    read = tuple(dict.fromkeys(reads))
    return Step(kernel, tuple(record), read, writes, in_place, scratch_bytes, macs, layer, input_high)


def copy(source: Buffer | Weights, output: Buffer, size: int, layer: str) -> Step:
    """A step that copies `size` bytes."""
    return step(
        COPY,
        layer,
        input=source,
        output=output,
        rows=1,
        row_bytes=size,
        input_stride=size,
        output_stride=size,
        input_blob=int(isinstance(source, Weights)),
    )
