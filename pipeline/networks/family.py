# SPDX-License-Identifier: Apache-2.0
"""Families of networks: what each must give, and which there are. No torch: recipes are read before it is imported.

A family `<name>` is two modules in `families/`, found by their names alone:

- `<name>_config.py`, without torch, has `CONFIG`, a frozen dataclass derived from `NetworkConfig`: the keys of a
  recipe's [model], checked, with their defaults, and what the network costs.
- `<name>.py` has `NETWORK`, a `dimmer.pipeline.networks.network.Network` built from that configuration. It knows how
  each of its blocks is deployed (`dimmer.pipeline.networks.folding`, `deployed`); `deploy` puts them together.

Recipes, training, calibration, export, gates, verification and reports see these interfaces and no family.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from dimmer.errors import DimmerError
from dimmer.pipeline.core.checks import MOST_CHANNELS, OneOf, bounded, require
from dimmer.pipeline.modes.mode import BITS, FULL_BITS, Mode, NetworkCost
from dimmer.pipeline.modes.width import width_name

FROM_DATASET = ("in_channels", "image_size", "classes")
"""Fields of a configuration that the data set gives; the others are keys of [model]."""

SEVERAL = ("inputs", "outputs", "input_names", "output_names")
"""Those that data of several inputs and outputs give besides; a family that has them can join inputs."""

BRANCH_KERNEL, BRANCH_STRIDE = 3, 2
"""Of the convolution that a further input begins with."""

Shape = tuple[int, int, int]
"""Height, width and channels of an input."""

NO_KEYS = ("folder", "without")
"""Fields that neither gives: where the recipe lies, and what a network trained alone lacks."""

MOST_STAGES, MOST_BLOCKS = 12, 254
"""Depth patterns double with each stage; the C tables hold 256 positions, stem and head among them."""

NO_GATES_OUTSIDE = "the stem's norm follows a sub-path that gates choose after it; set model.outer_twins = false"
"""Why there are no gates where norms outside of stages have twins."""

BLOCK_BITS = tuple(bits for bits in BITS if bits)
"""Widths that a block which is executed may have."""

BlockBits = Annotated[tuple[int, ...], OneOf(BLOCK_BITS)]

_PACKAGE = "dimmer.pipeline.networks.families"
_FOLDER = Path(__file__).parent / "families"
_registered: dict[str, str] = {}


@dataclass(frozen=True)
class StageEntry:
    """The tensor at a stage's entry, which its blocks' gates pool.

    Attributes:
        channels: of the tensor.
        pixels: its height x width.
    """

    channels: int
    pixels: int


class SkipFlags(NamedTuple):
    """Which of their twins a network's norms are in a mode: true for that of the skipped sub-path.

    Attributes:
        stem: of the stem's norms.
        stages: of each stage's norms.
        head: of the norms behind the last block.
    """

    stem: bool
    stages: tuple[bool, ...]
    head: bool


class NetworkConfig(ABC):
    """Everything that defines a network's shape. A family's configuration is a frozen dataclass with these fields, and
    with fields of its own.

    Attributes:
        mandatory: mandatory blocks of each stage (the first ones), at least 1.
        skippable: skippable blocks of each stage (the last ones), 0 for a stage that is always executed.
        widths: channels of each stage.
        bits: widths that every block can run with, 8 among them; each has norms of its own.
        in_channels: channels of the input image.
        image_size: (height, width) of the input image.
        classes: number of classes.

    Families that can join inputs have four fields more: inputs, (H, W, C) of each of several, of which in_channels and
    image_size are the first's; outputs, the elements of each of several, whose sum classes is; and the names of both.

    Raises:
        InvalidKeyError: when built, a value is refused; it names the key of the recipe that has to change.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    mandatory: tuple[int, ...]
    skippable: tuple[int, ...]
    widths: tuple[int, ...]
    bits: BlockBits
    in_channels: int
    image_size: tuple[int, int]
    classes: int

    @property
    def joined_inputs(self) -> tuple[Shape, ...]:
        """(H, W, C) of each of several inputs; nothing of one."""
        found: tuple[Shape, ...] = getattr(self, "inputs", ())
        return found

    @property
    def split_outputs(self) -> tuple[int, ...]:
        """Elements of each of several outputs; nothing of one."""
        found: tuple[int, ...] = getattr(self, "outputs", ())
        return found

    def names_of(self, end: str) -> tuple[str, ...]:
        """Of the "input"s or "output"s, where there are several."""
        found: tuple[str, ...] = getattr(self, f"{end}_names", ())
        return found

    def joined_macs(self, channels: int) -> int:
        """Of the branches of all inputs but the first, into a stream of so many channels."""
        total = 0
        for shape in self.joined_inputs[1:]:
            height, width, entering = shape
            inner = branch_channels(shape, channels)
            taps = min(BRANCH_KERNEL, height) * min(BRANCH_KERNEL, width)
            positions = -(-height // BRANCH_STRIDE) * -(-width // BRANCH_STRIDE)
            total += positions * taps * entering * inner + inner * channels
        return total

    @abstractmethod
    def cost(self) -> NetworkCost:
        """Multiply-accumulates of stem and head together, and of each block."""

    @abstractmethod
    def entries(self) -> tuple[StageEntry, ...]:
        """What enters each stage; for the first one that is the stem's output."""

    def at(self, folder: Path) -> Self:
        """The same of a recipe that lies in a folder, for families that name files.

        Raises:
            InvalidKeyError: a file is not there.
        """
        del folder
        return self

    def contents(self) -> Mapping[str, str]:
        """Key -> SHA-256 of the file that it names: what the network depends on beside its keys."""
        return {}

    def modules(self) -> tuple[str, ...]:
        """Packages beside the family's module that its networks are made of."""
        return ()

    def skip_flags(self, mode: Mode) -> SkipFlags:
        """The twins in force in a mode. Norms of a stage follow its own sub-path; stem and head have no twins."""
        return SkipFlags(False, mode.skip_flags(self.mandatory), False)

    def outer_flags(self, mode: Mode) -> SkipFlags:
        """The same where norms outside of stages have twins: those before the first stage that can skip follow its
        sub-path, those behind the last one its own.
        """
        own = mode.skip_flags(self.mandatory)
        can_skip = [stage for stage, blocks in enumerate(self.skippable) if blocks]
        return SkipFlags(own[can_skip[0]], own, own[can_skip[-1]]) if can_skip else SkipFlags(False, own, False)

    def why_no_gates(self) -> str:
        """Why gates cannot choose this network's blocks, with what to change; empty where they can."""
        return ""

    def check_each_stage(self, key: str, allowed: Iterable[int]) -> None:
        """Refuses a list that has not one entry a stage, each an allowed one."""
        values, allowed = getattr(self, key), tuple(allowed)
        require(len(values) == len(self.mandatory), key, "must have one entry a stage, as many as mandatory")
        known = f"{allowed[0]} to {allowed[-1]}" if len(allowed) > 4 else " or ".join(map(str, allowed))
        require(set(values) <= set(allowed), key, f"must have {known} in every stage")

    def check_stages(self) -> None:
        """What holds for every family; for `__post_init__`."""
        every = "must be at least 1 in every stage"
        require(bool(self.mandatory) and min(self.mandatory) >= 1, "mandatory", every)
        require(len(self.mandatory) <= MOST_STAGES, "mandatory", f"must have at most {MOST_STAGES} stages")
        require(sum(self.mandatory) <= MOST_BLOCKS, "mandatory", f"must be at most {MOST_BLOCKS} blocks together")
        for key in ("skippable", "widths"):
            same = len(getattr(self, key)) == len(self.mandatory)
            require(same, key, "must have one entry a stage, as many as mandatory")
        require(min(self.skippable) >= 0, "skippable", "must not be negative")
        together = sum(self.mandatory) + sum(self.skippable) <= MOST_BLOCKS
        require(together, "skippable", f"must be, with mandatory, at most {MOST_BLOCKS} blocks together")
        for width in self.widths:
            bounded(width, 1, MOST_CHANNELS, "widths")
        known = FULL_BITS in self.bits and len(set(self.bits)) == len(self.bits) and set(self.bits) <= set(BLOCK_BITS)
        others = ", ".join(map(width_name, BLOCK_BITS[1:]))
        require(known, "bits", f"must hold 8 and may hold {others}, each once")
        whole = self.in_channels >= 1 and min(self.image_size) >= 1 and self.classes >= 1
        require(whole, "dataset", "must have images of a pixel and a channel or more, and an output or more")

    def alone(self, which: str) -> Self:
        """The network of the same depth as the super-net or base-net, in float, with nothing to skip.

        Raises:
            DimmerError: it is neither "super" nor "base".
        """
        if which == "super":
            depth = tuple(m + s for m, s in zip(self.mandatory, self.skippable, strict=True))
        elif which == "base":
            depth = self.mandatory
        else:
            raise DimmerError(f"a network is trained alone as 'super' or 'base', not '{which}'")
        return dataclasses.replace(self, mandatory=depth, skippable=(0,) * len(depth), bits=(FULL_BITS,))

    def widened(self, widths: tuple[int, ...]) -> Self:
        """The network of the same depth, in float, with other channels: a teacher.

        Raises:
            InvalidKeyError: these widths do not fit.
        """
        return dataclasses.replace(self, widths=widths, bits=(FULL_BITS,))


def branch_channels(shape: Shape, channels: int) -> int:
    """Of a further input's first convolution: as many as the stream has, of a long vector up to four times as many."""
    return min(4 * channels, max(channels, shape[2]))


def families() -> tuple[str, ...]:
    """Names of the families: those in the folder, and those registered."""
    shipped = (path.name.removesuffix("_config.py") for path in _FOLDER.glob("*_config.py"))
    return tuple(sorted({*shipped, *_registered}))


def register(family: str, module: str) -> None:
    """Adds a family that lies elsewhere, until the process ends.

    Args:
        module: dotted name of what would be `families/<name>.py`; where it has no `<name>_config` beside it, it holds
            `CONFIG` too.

    Raises:
        DimmerError: the name is another family's.
    """
    if family in families() and _registered.get(family) != module:
        raise DimmerError(f"there is a network family '{family}' already: {family_module(family)}")
    _registered[family] = module


def family_module(family: str) -> str:
    """Dotted name of the module that holds the family's networks; all that is the family's is in it or imported by it.

    Raises:
        DimmerError: no such family.
    """
    if family not in families():
        raise DimmerError(f"unknown network family '{family}'; known are: {', '.join(families())}")
    return _registered.get(family, f"{_PACKAGE}.{family}")


def config_class(family: str) -> type[NetworkConfig]:
    """The family's configuration: a frozen dataclass.

    Raises:
        DimmerError: no such family.
    """
    module = family_module(family)
    light = f"{module}_config"
    found: type[NetworkConfig] = import_module(light if find_spec(light) else module).CONFIG
    return found


def config_keys(family: str) -> tuple[str, ...]:
    """The keys of [model] that are the family's own.

    Raises:
        DimmerError: no such family.
    """
    fields = dataclasses.fields(config_class(family))
    return tuple(field.name for field in fields if field.name not in (*FROM_DATASET, *SEVERAL, *NO_KEYS))


def can_join(family: str) -> bool:
    """Whether a family's networks may have several inputs and outputs.

    Raises:
        DimmerError: no such family.
    """
    return set(SEVERAL) <= {field.name for field in dataclasses.fields(config_class(family))}
