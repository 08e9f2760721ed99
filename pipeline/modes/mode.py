# SPDX-License-Identifier: Apache-2.0
"""The mode: how many bits each residual block runs with, 0 meaning skipped.

One notation everywhere: bits block by block, stages apart by dots. ``88.88.88`` is the 8-bit super-net of
a net with three stages of two blocks, ``80.80.80`` its base-net, ``88.84.40`` something in between. Where weights and
activations have different bits a block's character is a letter (`width.py`): c is W4A8, b W2A8, a W2A4. The depth
patterns of Adaptive Depth Networks (Kang & Lee, NeurIPS 2024) are the modes whose skippable sub-paths have 0 bits.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from dimmer.errors import DimmerError

# Those who need no more of widths take these two from here.
from dimmer.pipeline.modes.width import BITS as BITS
from dimmer.pipeline.modes.width import FULL_BITS as FULL_BITS
from dimmer.pipeline.modes.width import bit_product, character_of, width_name, width_of


@dataclass(frozen=True)
class NetworkCost:
    """Multiply-accumulates of one inference, for one image.

    Attributes:
        fixed: MACs that every mode pays (stem and head), always at 8 bits.
        blocks: MACs of each block, stage by stage.
        wide: how many of a block's MACs stay at 8 bits whatever its width, stage by stage; () where none do.
    """

    fixed: int
    blocks: tuple[tuple[int, ...], ...]
    wide: tuple[tuple[int, ...], ...] = ()

    def block_operations(self, stage: int, block: int, bits: int) -> int:
        """Bit-operations of one block: MACs x weight bits x activation bits; none where it is skipped.

        Args:
            bits: width of the block; 16 or 32 for accounts that price these, which then hold for all of it.

        Examples:
            >>> [NetworkCost(0, ((100,),), ((60,),)).block_operations(0, 0, bits) for bits in (4, 48)]
            [4480, 5120]
        """
        macs = self.blocks[stage][block]
        wide = self.wide[stage][block] if self.wide and bits else 0
        return (macs - wide) * bit_product(bits) + wide * max(bit_product(bits), FULL_BITS**2)


@dataclass(frozen=True)
class Mode:
    """Bits of every residual block, stage by stage.

    Attributes:
        blocks: one tuple a stage, one entry a block, each one of `BITS`, 0 where it is skipped.

    Raises:
        DimmerError: no stage, an empty stage, or a width outside `BITS`.
    """

    blocks: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if not self.blocks or not all(self.blocks):
            raise DimmerError("a mode needs at least one stage, and every stage at least one block")
        for bits in itertools.chain.from_iterable(self.blocks):
            character_of(bits)

    @classmethod
    def parse(cls, text: str) -> Mode:
        """Read the notation ``88.80.80``.

        Raises:
            DimmerError: the text is not a mode.

        Examples:
            >>> Mode.parse("8c.20").blocks
            ((8, 48), (2, 0))
            >>> str(Mode(((8, 8), (8, 0))))
            '88.80'
        """
        stages = [[width_of(character) for character in stage] for stage in text.split(".")]
        blocks = tuple(tuple(bits for bits in stage if bits is not None) for stage in stages)
        if not all(blocks) or tuple(map(len, blocks)) != tuple(map(len, stages)):
            raise DimmerError(f"'{text}' is not a mode; write the bits of each block, stages apart by dots: 88.80.80")
        return cls(blocks)

    @classmethod
    def staged(cls, widths: Sequence[int], depths: Sequence[int]) -> Mode:
        """The mode of a list of widths, such as gates choose.

        Args:
            widths: of all blocks, in order.
            depths: number of blocks of each stage.

        Examples:
            >>> str(Mode.staged([8, 48, 2, 0], [2, 2]))
            '8c.20'
        """
        rest = iter(widths)
        return cls(tuple(tuple(itertools.islice(rest, depth)) for depth in depths))

    def __str__(self) -> str:
        return ".".join("".join(map(character_of, stage)) for stage in self.blocks)

    def skip_flags(self, mandatory: Sequence[int]) -> tuple[bool, ...]:
        """Which stages skip their whole sub-path: what the skip-aware norms switch on.

        Args:
            mandatory: number of mandatory blocks of each stage; the rest of a stage is skippable.

        Returns:
            One flag a stage, true iff it has skippable blocks and all of them have 0 bits.

        Examples:
            >>> Mode.parse("880.808").skip_flags((2, 1))
            (True, False)
        """
        return tuple(len(stage) > m and not any(stage[m:]) for stage, m in zip(self.blocks, mandatory, strict=True))

    def macs(self, cost: NetworkCost) -> int:
        """Multiply-accumulates of one inference in this mode."""
        self._check_fits(cost)
        executed = zip(itertools.chain(*cost.blocks), itertools.chain(*self.blocks), strict=True)
        return cost.fixed + sum(macs for macs, bits in executed if bits)

    def bit_operations(self, cost: NetworkCost) -> int:
        """Sum of MACs x weight bits x activation bits; what has 8 bits in every mode counts with 8 x 8.

        Examples:
            >>> Mode.parse("84").bit_operations(NetworkCost(fixed=10, blocks=((100, 100),)))
            8640
            >>> Mode.parse("8b").bit_operations(NetworkCost(fixed=10, blocks=((100, 100),)))
            8640
        """
        self._check_fits(cost)
        return cost.fixed * FULL_BITS**2 + sum(
            cost.block_operations(s, b, bits) for s, stage in enumerate(self.blocks) for b, bits in enumerate(stage)
        )

    def _check_fits(self, cost: NetworkCost) -> None:
        if tuple(map(len, self.blocks)) != tuple(map(len, cost.blocks)):
            shape = ".".join("8" * len(stage) for stage in cost.blocks)
            raise DimmerError(f"mode {self} does not fit this network; its super-net is written {shape}")


def check_mode(
    mode: Mode, mandatory: Sequence[int], skippable: Sequence[int], widths: Sequence[int] = BITS[:-1]
) -> None:
    """Check that a network with this depth split and these bit-widths can run the mode.

    Raises:
        DimmerError: other numbers of stages or blocks, a mandatory block with 0 bits, or a width that was not trained.
    """
    super_net = super_mode(mandatory, skippable)
    if tuple(map(len, mode.blocks)) != tuple(map(len, super_net.blocks)):
        raise DimmerError(f"mode {mode} does not fit this network; its super-net is written {super_net}")
    for bits in itertools.chain.from_iterable(mode.blocks):
        if bits and bits not in widths:
            known = ", ".join(map(width_name, widths))
            raise DimmerError(
                f"mode {mode} has a block with {width_name(bits)} bits; this network was trained for {known} (and 0)"
            )
    for s, (stage, m) in enumerate(zip(mode.blocks, mandatory, strict=True)):
        if not all(stage[:m]):
            raise DimmerError(
                f"mode {mode} skips a mandatory block of stage {s}; only its last {len(stage) - m} can be 0"
            )


def super_mode(mandatory: Sequence[int], skippable: Sequence[int], bits: int = FULL_BITS) -> Mode:
    """The mode in which every block is executed."""
    return Mode(tuple((bits,) * (m + s) for m, s in zip(mandatory, skippable, strict=True)))


def base_mode(mandatory: Sequence[int], skippable: Sequence[int], bits: int = FULL_BITS) -> Mode:
    """The mode in which every skippable sub-path is skipped."""
    return Mode(tuple((bits,) * m + (0,) * s for m, s in zip(mandatory, skippable, strict=True)))


def depth_patterns(mandatory: Sequence[int], skippable: Sequence[int], bits: int = FULL_BITS) -> tuple[Mode, ...]:
    """All 2^S depth modes of a network with S stages that can skip, from super-net to base-net.

    The order is that of a binary counter whose most significant digit is the first stage's skip flag.

    Examples:
        >>> [str(mode) for mode in depth_patterns((1, 2), (1, 1))]
        ['88.888', '88.880', '80.888', '80.880']
    """
    choices = [
        [(bits,) * (m + s), (bits,) * m + (0,) * s] if s else [(bits,) * m]
        for m, s in zip(mandatory, skippable, strict=True)
    ]
    return tuple(Mode(blocks) for blocks in itertools.product(*choices))
