# SPDX-License-Identifier: Apache-2.0
"""An adaptive network as everything but its family sees it.

Its depth is chosen call by call: the mode is an argument. What a family adds are the modules, and how each of its parts
is deployed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor, nn

from dimmer.errors import DimmerError
from dimmer.pipeline.modes.mode import (
    FULL_BITS,
    Mode,
    NetworkCost,
    base_mode,
    check_mode,
    depth_patterns,
    super_mode,
)
from dimmer.pipeline.networks.deployed import DeployedBlock
from dimmer.pipeline.networks.family import NetworkConfig, SkipFlags
from dimmer.pipeline.networks.folding import Folding
from dimmer.pipeline.networks.joined import Joins
from dimmer.pipeline.networks.layers.blocks import parameters_in_force


class Block(nn.Module, ABC):
    """One block of a stage.

    What it returns is the residual stream, which stays at 8 bits and is non-negative and bounded by ReLU6 where a
    block that may follow is narrow: it is rounded to that block's width there. A skippable block keeps the stream's
    shape. Norms of a mandatory block have twins where its stage can be skipped (`make_norm`).
    """

    @abstractmethod
    def forward(self, x: Tensor, skipped: bool, bits: int = FULL_BITS) -> Tensor:
        """The residual stream float[N,C,H,W] -> float[N,C',H',W'].

        Args:
            x: the stream.
            skipped: the stage's skip flag.
            bits: width of the narrow convolutions.
        """

    @abstractmethod
    def deployed(self, fold: Folding) -> DeployedBlock:
        """The block as plain convolutions, in the state and at the width of `fold`."""


class ExecutedBlock(NamedTuple):
    """A block as a mode runs it.

    Attributes:
        name: "S.B", stage S, block B.
        block: the module.
        skipped: the skip flag of its stage.
        bits: width that it runs with.
    """

    name: str
    block: Block
    skipped: bool
    bits: int


class Network(nn.Module, ABC):
    """An adaptive network.

    Attributes:
        config: the shape.
        stem: image float[N,C,H,W] -> residual stream float[N,C0,H,W]; shared by all modes, always at 8 bits. Where its
            norm has a twin, that is not in here but in `enter`.
        joins: of several inputs, what brings the others into the first one's stream; None of one.
        stages: ``stages[s][b]`` is block b of stage s, the same indices as in ``Mode.blocks``.
    """

    config: NetworkConfig
    stem: nn.Module
    stages: nn.ModuleList

    def __init__(self) -> None:
        super().__init__()
        self.joins: Joins | None = None

    def begin(self, x: Tensor) -> Tensor:
        """Input float[N,C,H,W], of several float[N,D,1,1] -> the residual stream float[N,C0,H,W]: `stem`, and `joins`
        where there are.
        """
        stream: Tensor = self.stem(x) if self.joins is None else self.joins(self.stem, x)
        return stream

    def join(self) -> None:
        """Give the network what its configuration says of several inputs."""
        if self.config.joined_inputs:
            self.joins = Joins(self.config.joined_inputs, self.config.entries()[0].channels)

    def enter(self, stream: Tensor, flags: SkipFlags) -> Tensor:
        """What the stem gave, float[N,C0,H,W] -> the stream that enters the first block, through the twins in force."""
        return stream

    def leave(self, stream: Tensor, flags: SkipFlags) -> Tensor:
        """What the last block gave -> what `classify` reads, through the twins in force."""
        return stream

    def beginning(self) -> tuple[nn.Module, ...]:
        """The modules before the first block."""
        return (self.stem,) if self.joins is None else (self.stem, self.joins)

    @abstractmethod
    def classify(self, stream: Tensor) -> Tensor:
        """What follows the last block: float[N,C,H,W] -> logits float[N,classes]; shared by all modes, at 8 bits."""

    def add_base_classifier(self) -> None:
        """Give the base-net a classifier of its own, ``base_fc``, that begins as ``fc`` does; for experiments.

        Raises:
            DimmerError: the family has no such thing.
        """
        raise self._one_classifier()

    def classify_base(self, stream: Tensor) -> Tensor:
        """As `classify`, with the base-net's own classifier.

        Raises:
            DimmerError: the family has no such thing.
        """
        raise self._one_classifier()

    def _one_classifier(self) -> DimmerError:
        return DimmerError(f"a {type(self).__name__} has one classifier; set train.own_classifier to false")

    def has_base_classifier(self, mode: Mode) -> bool:
        """Whether a mode is classified by the base-net's own classifier: it skips every sub-path, at any width."""
        skipped = all(not any(stage[m:]) for stage, m in zip(mode.blocks, self.config.mandatory, strict=True))
        return skipped and getattr(self, "base_fc", None) is not None

    @abstractmethod
    def deployed_stem(self, fold: Folding) -> nn.Module:
        """The stem as plain convolutions: called with float[N,C,H,W] and a tap."""

    @abstractmethod
    def deployed_head(self, fold: Folding) -> nn.Module:
        """What `classify` does, called with float[N,C,H,W] and a tap."""

    def stage(self, number: int) -> tuple[Block, ...]:
        """All blocks of a stage, the mandatory ones first."""
        blocks = self.stages[number]
        assert isinstance(blocks, nn.ModuleList)
        return tuple(blocks)  # type: ignore[arg-type]

    def blocks(self, mode: Mode) -> Iterator[ExecutedBlock]:
        """The blocks that the mode executes, in order."""
        for s, (stage, skipped) in enumerate(zip(mode.blocks, self.config.skip_flags(mode).stages, strict=True)):
            for b, (block, bits) in enumerate(zip(self.stage(s), stage, strict=True)):
                if bits:
                    yield ExecutedBlock(f"{s}.{b}", block, skipped, bits)

    def features(self, stream: Tensor, mode: Mode) -> Tensor:
        """Everything after the stem: float[N,C0,H,W] -> logits float[N,classes]."""
        flags = self.config.skip_flags(mode)
        stream = self.enter(stream, flags)
        for _, block, skipped, bits in self.blocks(mode):
            stream = block(stream, skipped, bits)
        stream = self.leave(stream, flags)
        return self.classify_base(stream) if self.has_base_classifier(mode) else self.classify(stream)

    def forward(self, x: Tensor, mode: Mode) -> Tensor:
        """float[N,C,H,W] -> logits float[N,classes] in the given mode, with the weights and activations of narrow
        blocks rounded to their grids (the 8-bit ones are float).

        Raises:
            DimmerError: the mode does not fit this network.
        """
        check_mode(mode, self.config.mandatory, self.config.skippable, self.config.bits)
        return self.features(self.begin(x), mode)

    def parameters_in(self, mode: Mode) -> set[Tensor]:
        """The parameters that an inference in this mode reads."""
        used: set[Tensor] = set(self.parameters())
        used.difference_update(self.stages.parameters())
        if (own := getattr(self, "base_fc", None)) is not None:
            unread: nn.Module = getattr(self, "fc") if self.has_base_classifier(mode) else own  # noqa: B009
            used.difference_update(unread.parameters())
        for _, block, skipped, bits in self.blocks(mode):
            used.update(parameters_in_force(block, skipped, bits))
        return used

    def super_mode(self) -> Mode:
        """The mode in which every block is executed."""
        return super_mode(self.config.mandatory, self.config.skippable)

    def base_mode(self) -> Mode:
        """The mode in which every skippable sub-path is skipped."""
        return base_mode(self.config.mandatory, self.config.skippable)

    def depth_patterns(self, bits: int = FULL_BITS) -> tuple[Mode, ...]:
        """All depth modes at one width, from super-net to base-net."""
        return depth_patterns(self.config.mandatory, self.config.skippable, bits)

    def cost(self) -> NetworkCost:
        """MACs of the network's parts."""
        return self.config.cost()
