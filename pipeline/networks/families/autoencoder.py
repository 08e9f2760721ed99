# SPDX-License-Identifier: Apache-2.0
"""Dense autoencoder whose depth is chosen call by call: a stem over the whole input, residual blocks of dense layers,
a linear layer that gives the input back.

After the baseline of DCASE 2020 task 2 (Koizumi et al.), which MLPerf Tiny's anomaly detection is; the skippable blocks
are Dimmer's. Dense layers are convolutions of 1x1 over one position.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from dimmer.pipeline.modes.mode import FULL_BITS
from dimmer.pipeline.networks.deployed import DeployedBlock, Tap
from dimmer.pipeline.networks.families.autoencoder_config import AutoencoderConfig
from dimmer.pipeline.networks.folding import Folding
from dimmer.pipeline.networks.layers.blocks import make_norm, normalise
from dimmer.pipeline.networks.network import Block
from dimmer.pipeline.networks.plain import PlainNetwork


class DenseBlock(Block):
    """Dense, norm, ReLU6, dense, norm, the entry added where the width stays, ReLU6."""

    def __init__(self, entry: int, width: int, skip_aware: bool) -> None:
        super().__init__()
        self.inner = nn.Conv2d(entry, width, 1, bias=False)
        self.inner_norm = make_norm(width, skip_aware, (FULL_BITS,))
        self.outer = nn.Conv2d(width, width, 1, bias=False)
        self.outer_norm = make_norm(width, skip_aware, (FULL_BITS,))
        self.adds = entry == width

    def forward(self, x: Tensor, skipped: bool, bits: int = FULL_BITS) -> Tensor:
        """float[N,C,1,1] -> float[N,C',1,1]."""
        y = F.relu6(normalise(self.inner_norm, self.inner(x), skipped, bits))
        y = normalise(self.outer_norm, self.outer(y), skipped, bits)
        return F.relu6(y + x if self.adds else y)

    def deployed(self, fold: Folding) -> DeployedDenseBlock:
        """Two dense layers with biases."""
        inner = fold.convolution("inner", self.inner, self.inner_norm)
        outer = fold.convolution("outer" if self.adds else "out", self.outer, self.outer_norm, reads="inner")
        return DeployedDenseBlock(fold.name, fold.bits, inner, outer, self.adds)


class DeployedDenseBlock(DeployedBlock):
    """A `DenseBlock` of plain convolutions."""

    def __init__(self, name: str, bits: int, inner: nn.Conv2d, outer: nn.Conv2d, adds: bool) -> None:
        super().__init__(name, bits)
        self.inner, self.outer, self.adds = inner, outer, adds

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,1,1] -> float[N,C',1,1]."""
        y = self.outer(tap(f"{self.name}.inner", F.relu6(self.inner(x))))
        if self.adds:
            y = tap(f"{self.name}.outer", y) + x
        return tap(f"{self.name}.out", F.relu6(y))


class Autoencoder(PlainNetwork):
    """Gives its input back, H * W * C values, rows first as NHWC has them."""

    config: AutoencoderConfig
    stem: nn.Sequential

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        width = config.widths[0]
        first = nn.Conv2d(config.in_channels, width, config.image_size, bias=False)
        self.stem = nn.Sequential(first, nn.BatchNorm2d(width), nn.ReLU6())
        stages, entry = [], width
        for out, mandatory, skippable in zip(config.widths, config.mandatory, config.skippable, strict=True):
            blocks = []
            for b in range(mandatory + skippable):
                blocks.append(DenseBlock(entry, out, b < mandatory and skippable > 0))
                entry = out
            stages.append(nn.ModuleList(blocks))
        self.stages = nn.ModuleList(stages)
        self.fc = nn.Linear(entry, config.classes)


NETWORK = Autoencoder
