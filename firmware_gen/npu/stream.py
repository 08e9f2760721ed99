# SPDX-License-Identifier: Apache-2.0
"""A command stream: words of 32 bits <-> commands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.npu.registers import CODES, LONG, OPERATIONS, SHORT

ADDRESS_BITS = 48
"""Of a register of the second kind that holds an address: 32 in the word behind it, 16 in the parameter."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        name: of the operation, or of the register that it sets.
        param: 16 bits.
        value: 32 bits; None for a command without them.
    """

    name: str
    param: int
    value: int | None = None

    @property
    def starts(self) -> bool:
        """Whether it starts something, and sets no register."""
        return self.value is None and CODES[self.name] in OPERATIONS

    @property
    def words(self) -> tuple[int, ...]:
        """As the stream has it."""
        word = self.param << 16 | CODES[self.name]
        return (word,) if self.value is None else (word | 0x4000, self.value)


class Registers(dict[str, int]):
    """What the registers hold. Of one that no command has set yet, every question is an error."""

    def __missing__(self, name: str) -> int:
        raise FirmwareGenError(f"the command stream reads register {name} before it sets it: compile it again")

    def set(self, command: Command) -> None:
        """Takes what a command sets. The parameter of one of the second kind is kept as `<name>#`, but for addresses,
        whose high bits it is.
        """
        if command.value is None:
            self[command.name] = command.param
        else:
            self[command.name] = command.value
            self[f"{command.name}#"] = command.param


def bytes_of_map(map_: str, held: Registers) -> int:
    """Bytes of an input feature map that lies in one tile, as one of constants does.

    Args:
        map_: IFM or IFM2.
    """
    height, width = held[f"{map_}_HEIGHT0_M1"] + 1, held[f"{map_}_WIDTH0_M1"] + 1
    depth = held["OFM_DEPTH_M1" if map_ == "IFM2" else "IFM_DEPTH_M1"] + 1
    if map_ == "IFM2" and held["IFM2_BROADCAST"] >> 2 & 1:
        depth = 1
    precision = held[f"{map_}_PRECISION"]
    size = 1 << (precision >> 2 & 3)
    rows = (height - 1) * held[f"{map_}_STRIDE_Y"] + (width - 1) * held[f"{map_}_STRIDE_X"]
    if precision >> 6 & 1:
        return rows + (depth - 1) // 16 * held[f"{map_}_STRIDE_C"] + 16 * size
    return rows + depth * size


def commands(words: Sequence[int]) -> Iterator[Command]:
    """The commands of a stream.

    Raises:
        FirmwareGenError: a code that Ethos-U55 and U65 do not have, or the last command is cut short.
    """
    at = 0
    while at < len(words):
        word = words[at]
        code, kind, param = word & 0x3FF, word >> 14 & 3, word >> 16
        name = LONG.get(code) if kind == 1 else SHORT.get(code) or OPERATIONS.get(code)
        if kind > 1 or name is None or word & 0x3C00:
            raise FirmwareGenError(
                f"the command stream has 0x{word:08x} at word {at}, which Ethos-U55 and U65 do not know: compile again"
            )
        if kind == 1 and at + 1 == len(words):
            raise FirmwareGenError("the command stream ends within its last command: compile it again")
        yield Command(name, param, words[at + 1] if kind == 1 else None)
        at += 1 + kind


def words_of(stream: Iterable[Command]) -> tuple[int, ...]:
    """The words of commands."""
    return tuple(word for command in stream for word in command.words)


def signed16(value: int) -> int:
    """A parameter as a number with a sign."""
    return value - 0x1_0000 if value >= 0x8000 else value
