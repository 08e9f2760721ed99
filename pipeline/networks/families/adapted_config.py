# SPDX-License-Identifier: Apache-2.0
"""A network of the user as `dimmer adapt` found it, without torch: source, stages and cost, as the recipe has them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from dimmer.pipeline.core.checks import InvalidKeyError, require
from dimmer.pipeline.core.closure import file_hash
from dimmer.pipeline.modes.mode import FULL_BITS, Mode, NetworkCost
from dimmer.pipeline.networks.family import NO_GATES_OUTSIDE, BlockBits, NetworkConfig, SkipFlags, StageEntry

_LIBRARIES = ("torchvision", "timm")


@dataclass(frozen=True)
class AdaptedConfig(NetworkConfig):
    """A network from torchvision, timm or a file of the user's; `dimmer adapt` writes these keys.

    `NetworkConfig` says what the fields are that every family has; ``widths`` are the channels behind each stage, or
    features where the stream is no image.

    Attributes:
        source: "torchvision:NAME", "timm:NAME" or "FILE.py:FACTORY", the file's path counted from the recipe.
        blocks: names of the modules that are blocks, all stages one behind the other, mandatory ones first in each.
        macs: multiply-accumulates of each block.
        fixed_macs: multiply-accumulates of everything else.
        entry_channels: channels of what enters each stage.
        entry_pixels: its height x width, or number of tokens.
        arguments: of the factory, "name=value" each.
        weights: a .safetensors file beside the recipe, with the original network's weights; none for those that the
            factory gives.
        files: others beside the recipe that the source needs: modules that it imports, what it reads.
        outer_twins: whether norms of stem and head have twins, too, as in the paper's MobileNetV2: the first follow
            the first stage's sub-path, the last ones the last stage's. Gates need false.
        folder: the recipe's, not a key of it.
        without: blocks that a network trained alone lacks, not a key of the recipe.
    """

    mandatory: tuple[int, ...]
    skippable: tuple[int, ...]
    widths: tuple[int, ...]
    in_channels: int
    image_size: tuple[int, int]
    classes: int
    source: str
    blocks: tuple[str, ...]
    macs: tuple[int, ...]
    fixed_macs: int
    entry_channels: tuple[int, ...]
    entry_pixels: tuple[int, ...]
    arguments: tuple[str, ...] = ()
    weights: str = ""
    files: tuple[str, ...] = ()
    outer_twins: bool = False
    bits: BlockBits = (FULL_BITS,)
    folder: str = ""
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.check_stages()
        require(self.bits == (FULL_BITS,), "bits", "must be [8]: an adapted network is dimmed in depth alone")
        where = self.source.rpartition(":")[0]
        named = where in _LIBRARIES or where.endswith(".py")
        require(named, "source", 'must be "torchvision:NAME", "timm:NAME" or "FILE.py:FACTORY"')
        count = sum(self.mandatory) + sum(self.skippable)
        require(len(self.blocks) == count, "blocks", f"must name {count} blocks, those of mandatory and skippable")
        require(len(set(self.blocks)) == count, "blocks", "must name each block once")
        require(len(self.macs) == count and min(self.macs) >= 0, "macs", f"must have {count} entries, one a block")
        require(self.fixed_macs >= 0, "fixed_macs", "must not be negative")
        inside = all(not Path(name).is_absolute() and ".." not in Path(name).parts for name in self.files)
        require(inside, "files", "must name files in the recipe's folder")
        for key in ("entry_channels", "entry_pixels"):
            same = len(getattr(self, key)) == len(self.mandatory) and min(getattr(self, key)) >= 1
            require(same, key, "must have one entry a stage, at least 1")

    def at(self, folder: Path) -> Self:
        """The configuration with the folder from which its files count.

        Raises:
            InvalidKeyError: a file is not there.
        """
        for key, path in self._files(folder).values():
            require(path.is_file(), key, f"names no file: there is no {path}")
        return dataclasses.replace(self, folder=str(folder))

    def contents(self) -> Mapping[str, str]:
        """Key -> SHA-256 of the file that it names."""
        return {name: file_hash(path) for name, (_, path) in self._files(Path(self.folder)).items()}

    @property
    def twins_outside(self) -> bool:
        """Whether norms of stem and head have twins."""
        return self.outer_twins and any(self.skippable)

    def skip_flags(self, mode: Mode) -> SkipFlags:
        """As `NetworkConfig.skip_flags`, or `outer_flags`."""
        return self.outer_flags(mode) if self.twins_outside else super().skip_flags(mode)

    def why_no_gates(self) -> str:
        """The stem's norms cannot follow a sub-path that is chosen after them."""
        return NO_GATES_OUTSIDE if self.twins_outside else ""

    def modules(self) -> tuple[str, ...]:
        """The library that the network is from."""
        where = self.source.rpartition(":")[0]
        return (where,) if where in _LIBRARIES else ()

    def cost(self) -> NetworkCost:
        """As the recipe has it; what is built is compared with it."""
        return NetworkCost(self.fixed_macs, tuple(self.macs[first:last] for first, last in self.bounds()))

    def entries(self) -> tuple[StageEntry, ...]:
        """As the recipe has it."""
        return tuple(map(StageEntry, self.entry_channels, self.entry_pixels))

    def bounds(self) -> tuple[tuple[int, int], ...]:
        """Of each stage the positions of its blocks, first and behind the last."""
        found, start = [], 0
        for m, s in zip(self.mandatory, self.skippable, strict=True):
            found.append((start, start + m + s))
            start += m + s
        return tuple(found)

    def alone(self, which: str) -> Self:
        """As `NetworkConfig.alone`; a skippable sub-path that is missing passes its input on."""
        if which != "base":
            return super().alone(which)
        kept = [i for (first, _), m in zip(self.bounds(), self.mandatory, strict=True) for i in range(first, first + m)]
        return dataclasses.replace(
            self,
            skippable=(0,) * len(self.mandatory),
            blocks=tuple(self.blocks[i] for i in kept),
            macs=tuple(self.macs[i] for i in kept),
            without=tuple(name for i, name in enumerate(self.blocks) if i not in kept),
        )

    def widened(self, widths: tuple[int, ...]) -> Self:
        """An adapted network has the widths that it came with.

        Raises:
            InvalidKeyError: always.
        """
        raise InvalidKeyError("widths", "is for families of Dimmer; an adapted network has no wider twin")

    def _files(self, folder: Path) -> dict[str, tuple[str, Path]]:
        """Name -> the key that names a file, and where it is."""
        where = self.source.rpartition(":")[0]
        found = {"source": ("source", folder / where)} if where.endswith(".py") else {}
        if self.weights:
            found["weights"] = ("weights", folder / self.weights)
        return found | {f"files {name}": ("files", folder / name) for name in self.files}


CONFIG = AdaptedConfig
