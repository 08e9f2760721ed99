# SPDX-License-Identifier: Apache-2.0
"""What the configurations of transformers have in common, without torch."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.pipeline.core.checks import bounded, require
from dimmer.pipeline.modes.mode import FULL_BITS
from dimmer.pipeline.networks.family import NetworkConfig

BEHIND, BEFORE = "behind", "before"
NORMS = (BEHIND, BEFORE)
"""Batch norms behind the linear layers, or layer norms before attention and MLP."""

MOST_HEADS, MOST_MLP = 64, 8


@dataclass(frozen=True)
class BlockShape:
    """Shape of a transformer's block.

    Attributes:
        channels: of the stream.
        heads: of the attention; they divide the channels.
        hidden: channels within the MLP.
    """

    channels: int
    heads: int
    hidden: int

    @property
    def scale(self) -> float:
        """What the query is multiplied with."""
        return float((self.channels // self.heads) ** -0.5)

    def macs(self, positions: int, window: int) -> int:
        """Multiply-accumulates of a block, in which a position sees `window` positions."""
        attention = 4 * self.channels * self.channels + 2 * window * self.channels
        return positions * (attention + 2 * self.channels * self.hidden)

    def wide_macs(self, positions: int, window: int) -> int:
        """Those that stay at 8 bits in a narrow block: all but the MLP's second layer."""
        return self.macs(positions, window) - positions * self.channels * self.hidden


def check_transformer(config: NetworkConfig, norms: str, mlp: int) -> None:
    """Refuses what no transformer's configuration may have; for `__post_init__`.

    Raises:
        InvalidKeyError: it has.
    """
    config.check_stages()
    bounded(mlp, 1, MOST_MLP, "mlp")
    require(norms in NORMS, "norms", f"must be one of {', '.join(NORMS)}")
    narrow = config.bits != (FULL_BITS,)
    require(norms == BEHIND or not narrow, "bits", f'must be [8] where norms = "{BEFORE}": GELU is not bounded')


def check_heads(channels: int, heads: int, key: str) -> None:
    """Refuses heads that do not divide the channels.

    Raises:
        InvalidKeyError: they do not.
    """
    bounded(heads, 1, MOST_HEADS, key)
    require(channels % heads == 0, key, f"must divide the stage's width, {channels}")
