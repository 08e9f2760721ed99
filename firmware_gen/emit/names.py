# SPDX-License-Identifier: Apache-2.0
"""What the generated C is called: `mnist5k-r14` is `dimmer_mnist5k_r14`, with macros `DIMMER_MNIST5K_R14_...`.

Names come from files and may be anything; symbols are valid in C, those of one model differ from each other and from
all that the runtime declares. Every one begins with the model's symbol, so that two models go into one program.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.library import RUNTIME

MODEL_HEADER, ANSWERS_HEADER = "dimmer_model.h", "dimmer_known_answers.h"
"""General names for programs of a single model."""

_GENERAL = tuple(header.removesuffix(".h") for header in (MODEL_HEADER, ANSWERS_HEADER))

MAX_LENGTH = 40
_TAKEN_MODES = ("COUNT",)
"""DIMMER_<MODEL>_MODE_COUNT says how many modes there are."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one generated model.

    Attributes:
        title: the model's own name, for people.
        symbol: `dimmer_<model>`, which every other name begins with.
    """

    title: str
    symbol: str

    @property
    def macro(self) -> str:
        """What macros and enumerators begin with."""
        return self.symbol.upper()

    @property
    def header(self) -> str:
        """File of the model's declaration."""
        return f"{self.symbol}.h"

    @property
    def source(self) -> str:
        """File of the model's tables."""
        return f"{self.symbol}.c"

    @property
    def answers_header(self) -> str:
        """File of the known answers' declarations."""
        return f"{self.symbol}_known_answers.h"

    @property
    def answers_source(self) -> str:
        """File of the known answers."""
        return f"{self.symbol}_known_answers.c"

    @property
    def stack_header(self) -> str:
        """File of what the library's functions take of the stack."""
        return f"{self.symbol}_stack.h"

    def table(self, name: str) -> str:
        """A table of the model's source file."""
        return f"{self.symbol}_{name}"


def names_of(title: str) -> Names:
    """The names of a model that is called `title`."""
    plain = _plain(title).lower()
    if not plain or len(plain) > MAX_LENGTH:
        # Names that are cut, or of nothing but other characters, are still told apart.
        digest = zlib.crc32(title.encode(errors="surrogatepass"))
        plain = f"{plain[: MAX_LENGTH - 9]}_{digest:08x}".strip("_").replace("__", "_")
    symbol = f"dimmer_{plain}"
    while _is_taken(symbol):
        symbol += "_net"
    return Names(title, symbol)


def check_name(name: str) -> str:
    """A name that somebody chose, which the C takes over letter by letter, in lower and in upper case.

    Raises:
        FirmwareGenError: it would be another one there.
    """
    symbol = f"dimmer_{name.lower()}"
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or name.endswith("_") or "__" in name:
        raise FirmwareGenError(
            f"the name {name!r} is no identifier of C: take letters, digits and single underscores, a letter first"
        )
    if len(name) > MAX_LENGTH:
        raise FirmwareGenError(f"the name {name!r} has {len(name)} letters: take {MAX_LENGTH} at most")
    if _is_taken(symbol) or symbol in _GENERAL:
        raise FirmwareGenError(f"the runtime has something that is called {symbol}: take another name than {name!r}")
    return name


def mode_identifiers(names: Sequence[str], prefix: str = "") -> tuple[str, ...]:
    """An enumerator for each mode: `88.80.80` becomes `<prefix>MODE_88_80_80`."""
    wanted = [_plain(name).upper()[:MAX_LENGTH] or str(number) for number, name in enumerate(names)]
    found: list[str] = []
    for number, name in enumerate(wanted):
        own = name
        # A mode that comes later keeps its own name.
        while own in found or own in _TAKEN_MODES or (own != name and own in wanted):
            own += f"_ID{number}"
        found.append(own)
    return tuple(f"{prefix}MODE_{name}" for name in found)


def _plain(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z]+", "_", text).strip("_")


def _is_taken(symbol: str) -> bool:
    """Whether the runtime has something that is called as what belongs to a model of this symbol."""
    return any(name == symbol or name.startswith(f"{symbol}_") for name in _runtime_names())


@cache
def _runtime_names() -> frozenset[str]:
    """In lower case, all names that the runtime's headers mention, and theirs."""
    headers = sorted(RUNTIME.rglob("*.h"))
    text = "\n".join((*(path.name for path in headers), *(path.read_text(encoding="utf-8") for path in headers)))
    return frozenset(name.lower() for name in re.findall(r"\bdimmer_\w+", text, re.IGNORECASE))
