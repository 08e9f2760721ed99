# SPDX-License-Identifier: Apache-2.0
"""What a package holds, whatever the build system that it is for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.tables import ABI
from dimmer.firmware_gen.emit.text import quoted
from dimmer.firmware_gen.variants.cores import Kind

HASH_LENGTH = 12
"""Hexadecimal digits of a SHA-256 that tell contents apart."""

DEFAULT_VERSION = "1.0.0"


@dataclass(frozen=True)
class Publisher:
    """Whose package it is.

    Attributes:
        vendor: a word, for CMSIS-Packs.
        maintainer: "Name <address>".
        url: of the package's home.
    """

    vendor: str = "Dimmer"
    maintainer: str = "Nobody <nobody@example.invalid>"
    url: str = "https://example.invalid/"

    def check(self) -> None:
        """Raises DimmerError where a build system would refuse one of them."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", self.vendor):
            raise DimmerError(
                f"--vendor {self.vendor!r}: take letters, digits, _ and -, as in the name of a CMSIS-Pack"
            )
        if not re.fullmatch(r"[^<>\n@=]+ <[^<>\s@]+@[^<>\s@]+>", self.maintainer):
            raise DimmerError(f"--maintainer {self.maintainer!r}: write it as 'Name <name@example.org>'")
        if not re.fullmatch(r"https?://[^\s\"'<>&]+", self.url):
            raise DimmerError(f"--url {self.url!r}: give an address that begins with https://")


@dataclass(frozen=True)
class CoreFigures:
    """What a model takes on a kind of core, in bytes.

    Attributes:
        weights, tables: of flash, exactly.
        code: of flash, about (`firmware_gen.kernels.code`).
        arena: of RAM, scratch included.
    """

    kind: Kind
    weights: int
    tables: int
    code: int
    arena: int

    @property
    def flash(self) -> int:
        """In all, about."""
        return self.weights + self.tables + self.code


@dataclass(frozen=True)
class End:
    """An input or output of the model.

    Attributes:
        type: as numpy calls it, "int8" for most.
        scale, zero_point: value = scale * (code - zero_point); None where it has none, as float32.
        name: of its tensor, plain, where there are several; empty of the only one.
        elements: what those of one of several outputs stand for, plain: classes, labels, or values with their units;
            empty where nobody knows, and of the only one, of which `Package.classes` tells it.
    """

    type: str
    shape: tuple[int, ...]
    scale: float | None
    zero_point: int | None
    name: str = ""
    elements: tuple[str, ...] = ()

    @property
    def c_type(self) -> str:
        """Of an element."""
        return {"float32": "float", "bool": "uint8_t"}.get(self.type, f"{self.type}_t")

    @property
    def text(self) -> str:
        """In words."""
        shape = f"{f'{self.name}: ' if self.name else ''}{self.type}[{','.join(map(str, self.shape))}]"
        return shape if self.scale is None else f"{shape}, value = {self.scale:.9g} * (code - {self.zero_point})"


@dataclass(frozen=True)
class Package:
    """A model's files for every build system.

    Attributes:
        title: the model's own name, plain.
        symbol: `dimmer_<model>`, the package's name.
        model_version: "1.2.3".
        modes: plain names, the most expensive first.
        inputs, outputs: of every mode, in the file's order; at least one of each.
        encoding: how what the application has becomes the input, in a sentence; empty where nobody knows.
        classes: of the only output's elements; empty where nobody knows.
        cores: the kinds that it has tables for, the most particular first.
        runtime: path -> text of the library's files: the same in every package of one version of Dimmer.
        model: path -> text of the model's.
        notices: path -> text of licences.
        publisher: whose it is.
        state: whether it keeps something from one inference to the next, and so has a function that forgets it.
    """

    title: str
    symbol: str
    model_version: str
    modes: tuple[str, ...]
    inputs: tuple[End, ...]
    outputs: tuple[End, ...]
    encoding: str
    classes: tuple[str, ...]
    cores: tuple[CoreFigures, ...]
    runtime: Mapping[str, str]
    model: Mapping[str, str]
    notices: Mapping[str, str]
    publisher: Publisher
    state: bool = False

    @property
    def macro(self) -> str:
        """What the model's macros begin with."""
        return self.symbol.upper()

    @property
    def runtime_hash(self) -> str:
        """Of the library's files."""
        return content_hash(self.runtime)

    @property
    def version(self) -> str:
        """Of the model, the runtime's ABI and a hash of all that is compiled, as semantic versioning has it."""
        return f"{self.model_version}+abi{ABI}.{content_hash({**self.runtime, **self.model})}"

    @property
    def headers(self) -> tuple[str, ...]:
        """Those that an application may include."""
        every = (*self.model, *self.runtime)
        return tuple(sorted(path for path in every if path.endswith(".h") and path.count("/") == 1))

    @property
    def runtime_headers(self) -> tuple[str, ...]:
        """Those of the library."""
        return tuple(path for path in self.headers if path in self.runtime)

    @property
    def model_headers(self) -> tuple[str, ...]:
        """Those of the model."""
        return tuple(path for path in self.headers if path in self.model)

    @property
    def runtime_sources(self) -> tuple[str, ...]:
        """C files of the library."""
        return tuple(sorted(path for path in self.runtime if path.endswith(".c")))

    @property
    def model_sources(self) -> tuple[str, ...]:
        """C files of the model."""
        return tuple(sorted(path for path in self.model if path.endswith(".c")))

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of cores that it has tables for."""
        return tuple(core.kind for core in self.cores)


def plain(text: str) -> str:
    """A name that somebody gave, safe in every file of a package: it may not leave its string, comment or cell.

    Example:
        >>> plain('a "model" | $(x)')
        'a _model_ _ _(x)'
    """
    return quoted(text)[1:-1]


def content_hash(files: Mapping[str, str]) -> str:
    """Of paths and contents, whatever their order.

    Example:
        >>> content_hash({"a": "1", "b": "2"}) == content_hash({"b": "2", "a": "1"})
        True
    """
    return hashlib.sha256(b"".join(_framed(files))).hexdigest()[:HASH_LENGTH]


def _framed(files: Mapping[str, str]) -> Iterator[bytes]:
    for path, text in sorted(files.items()):
        for part in (path.encode(), text.encode()):
            yield len(part).to_bytes(8, "little") + part


def check_version(version: str) -> str:
    """The version of a model.

    Raises:
        DimmerError: it is not of three numbers.
    """
    if not re.fullmatch(r"(0|[1-9]\d{0,5})(\.(0|[1-9]\d{0,5})){2}", version):
        raise DimmerError(f"--model-version {version!r}: write three numbers, such as {DEFAULT_VERSION}")
    return version
