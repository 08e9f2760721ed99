# SPDX-License-Identifier: Apache-2.0
"""What a kernel's description is made of.

A record is a C struct of fixed-width fields: the wide ones first, a multiple of 4 bytes, no padding. It may hold
another kernel's record, so that a variant for one instruction set hands on what it does not change.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from inspect import cleandoc


class CType(Enum):
    """A fixed-width type of C."""

    U32 = "uint32_t"
    I32 = "int32_t"
    F32 = "float"
    U16 = "uint16_t"
    I16 = "int16_t"
    U8 = "uint8_t"
    I8 = "int8_t"

    @property
    def code(self) -> str:
        """As `struct` calls it."""
        return _CODES[self]


_CODES = dict(zip(CType, "IifHhBb", strict=True))


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record.

    Attributes:
        name: in steps.
        count: elements, 0 where it is no array.
        meaning: what it is and its range, where the kernel's text leaves that open.
        path: its name in C where that differs: of a field of a record within the record.
    """

    name: str
    ctype: CType
    count: int = 0
    meaning: str = field(default="", compare=False)
    path: str = ""

    @property
    def reserved(self) -> bool:
        """Whether it only fills the record up and is zero."""
        return "reserved" in self.name

    @property
    def code(self) -> str:
        """Its type as `struct` calls it."""
        return self.ctype.code

    @property
    def size(self) -> int:
        """Bytes."""
        return struct.calcsize(self.code) * max(self.count, 1)


@dataclass(frozen=True, slots=True)
class Member:
    """A record within a record.

    Attributes:
        prefix: of its fields' names in steps.
    """

    name: str
    record: Record
    prefix: str = ""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of the inner record as those of the outer one."""
        return tuple(
            replace(item, name=f"{self.prefix}{item.name}", path=f"{self.name}.{item.path or item.name}")
            for item in self.record.fields
        )


Part = Field | Member


@dataclass(frozen=True, slots=True)
class Record:
    """A C struct, `<name>_t`."""

    name: str
    parts: tuple[Part, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields in order, those of inner records among them."""
        return tuple(item for part in self.parts for item in (part.fields if isinstance(part, Member) else (part,)))

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(item.size for item in self.fields)


def _format(fields: tuple[Field, ...]) -> str:
    return "<" + "".join(f"{item.count or ''}{item.code}" for item in fields)


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel.

    Attributes:
        name: the C function; `kernels/<instruction set>/<name>.c` is its file.
        record: what it is given; several kernels may have the same one.
        text: what it computes, and the ranges of its arguments. Paragraphs are a blank line apart.
        scratch: bytes of its scratch buffer, as a formula; empty where it needs none.
        fields: of the record.
        format: of the record, as `struct` wants it.
    """

    name: str
    record: Record
    text: str = field(default="", compare=False)
    scratch: str = field(default="", compare=False)
    fields: tuple[Field, ...] = field(init=False, compare=False, repr=False)
    format: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Packing and comparing steps read these a million times.
        object.__setattr__(self, "fields", self.record.fields)
        object.__setattr__(self, "format", _format(self.fields))

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def record_size(self) -> int:
        """Bytes of a record."""
        return self.record.size

    def pack(self, values: tuple[int | float | tuple[int, ...], ...]) -> bytes:
        """A record's bytes, little-endian; one value for each field."""
        flat: list[int | float] = []
        for value in values:
            if isinstance(value, tuple):
                flat.extend(value)
            else:
                flat.append(value)
        return struct.pack(self.format, *flat)


def kernel(name: str, text: str, *parts: Part, scratch: str = "") -> Kernel:
    """A kernel with a record of its own name."""
    return Kernel(name, Record(name, parts), cleandoc(text), cleandoc(scratch))


def sharing(record: Record, name: str, text: str, *, scratch: str = "") -> Kernel:
    """A kernel whose record is one that others have, too."""
    return Kernel(name, record, cleandoc(text), cleandoc(scratch))


def holding(member: str, other: Kernel, prefix: str = "") -> Member:
    """Another kernel's record as a member of one's own."""
    return Member(member, other.record, prefix)


def _fields_of(ctype: CType) -> Callable[..., tuple[Field, ...]]:
    def fields(*names: str, count: int = 0, meaning: str = "") -> tuple[Field, ...]:
        return tuple(Field(name, ctype, count, meaning) for name in names)

    return fields


u32 = _fields_of(CType.U32)
i32 = _fields_of(CType.I32)
f32 = _fields_of(CType.F32)
u16 = _fields_of(CType.U16)
i16 = _fields_of(CType.I16)
u8 = _fields_of(CType.U8)
i8 = _fields_of(CType.I8)

LIMITS = ("activation_min", "activation_max")
"""What a fused activation clamps to."""
