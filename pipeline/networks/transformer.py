# SPDX-License-Identifier: Apache-2.0
"""Blocks of transformers, whose linear layers are 1x1 convolutions on the positions of an image.

So what knows convolutions knows these: folding, narrow weights, gates, fast kernels. A converter keeps query, key and
value apart, and there is no linear layer for it to transpose wrongly where positions are as many as channels. There are
two forms:

- **norms behind**, `BehindBlock`: a batch norm behind every linear layer, as in Graham et al., LeViT (2021), and ReLU6.
  It is folded into the layer before it: all modes share their weights, and nothing is left of it.
- **norms before**, `BeforeBlock`: layer norms before attention and MLP, and GELU, as in Dosovitskiy et al., An Image is
  Worth 16x16 Words (2021). The norms stay operators: folded forward, their gammas would give each mode weights of its
  own.

The sites of a block are query, key, value, scores, attention, mixed, project, middle, hidden, restore and out; with
norms before also attention_norm and mlp_norm with what they are computed from, and wide, which GELU reads; where
patches are merged, merged (and merge_norm); within windows biased.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dimmer.pipeline.modes.mode import FULL_BITS
from dimmer.pipeline.networks.deployed import OPSET, OPSET_OF_GELU, DeployedBlock, Tap
from dimmer.pipeline.networks.folding import Folding
from dimmer.pipeline.networks.layers.attention import (
    KEY,
    OUT,
    PROJECTIONS,
    QUERY,
    SOFTMAX_RANGE,
    VALUE,
    DeployedAttention,
)
from dimmer.pipeline.networks.layers.blocks import Norm, convolve, make_norm, normalise
from dimmer.pipeline.networks.layers.channel_norm import DeployedChannelNorm, make_channel_norm
from dimmer.pipeline.networks.layers.quantisers import quantise_activation
from dimmer.pipeline.networks.network import Block
from dimmer.pipeline.networks.transformer_config import BlockShape


class NormedLinear(nn.Module):
    """A 1x1 convolution without a bias, and the batch norm behind it."""

    def __init__(self, inputs: int, outputs: int, skip_aware: bool, widths: tuple[int, ...] = (FULL_BITS,)) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.norm: Norm = make_norm(outputs, skip_aware, widths)

    def forward(self, x: Tensor, skipped: bool, bits: int = FULL_BITS, narrow: bool = False) -> Tensor:
        """float[N,C,H,W] -> float[N,C',H,W], its weights at the width of the bits where it is narrow."""
        return normalise(self.norm, convolve(self.conv, x, bits if narrow else FULL_BITS), skipped, bits)


class BehindMerge(nn.Module):
    """Patches of 2x2 merged: a convolution, and the batch norm behind it."""

    def __init__(self, inputs: int, outputs: int, skip_aware: bool, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 2, 2, bias=False)
        self.norm = make_norm(outputs, skip_aware, widths)

    def forward(self, x: Tensor, skipped: bool, bits: int) -> Tensor:
        """float[N,C,H,W] -> float[N,C',H/2,W/2]."""
        return normalise(self.norm, self.conv(x), skipped, bits)

    def deployed(self, fold: Folding) -> DeployedMerge:
        """A convolution with a bias."""
        return DeployedMerge(fold, fold.convolution("merged", self.conv, self.norm))


class BeforeMerge(nn.Module):
    """Patches of 2x2 merged: their channels beside each other, layer norm, and a linear layer."""

    def __init__(self, inputs: int, outputs: int, skip_aware: bool) -> None:
        super().__init__()
        self.norm = make_channel_norm(4 * inputs, skip_aware)
        self.conv = nn.Conv2d(4 * inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor, skipped: bool, bits: int) -> Tensor:
        """float[N,C,H,W] -> float[N,C',H/2,W/2]."""
        made: Tensor = self.conv(self.norm(beside(x), skipped))
        return made

    def deployed(self, fold: Folding) -> DeployedMerge:
        """A convolution on its grid, and the layer norm in force."""
        return DeployedMerge(
            fold, fold.biased(self.conv), DeployedChannelNorm(fold.site("merge_norm"), fold.twin(self.norm))
        )


def beside(x: Tensor) -> Tensor:
    """Patches of 2x2 as channels: float[N,C,H,W] -> float[N,4C,H/2,W/2]."""
    return torch.cat([x[:, :, down::2, across::2] for across in (0, 1) for down in (0, 1)], 1)


class DeployedMerge(nn.Module):
    """Merging of patches, site "S.B.merged", with its layer norm where that was not folded."""

    def __init__(self, fold: Folding, conv: nn.Conv2d, norm: DeployedChannelNorm | None = None) -> None:
        super().__init__()
        self.site = fold.site("merged")
        self.conv, self.norm = conv, norm

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> float[N,C',H/2,W/2]."""
        return tap(self.site, self.conv(x if self.norm is None else self.norm(beside(x), tap)))


class BehindBlock(Block):
    """Attention and MLP, each added to its input; batch norms behind the linear layers, and ReLU6 in the MLP.

    In a narrow block the MLP's second layer is narrow, which reads what ReLU6 bounds.

    Args:
        shape: of the block.
        pattern: which positions see each other.
        skip_aware: whether its norms have twins.
        widths: bit-widths that it can run with.
        merges: channels that enter it, where it begins by merging patches; else 0.
    """

    def __init__(
        self,
        shape: BlockShape,
        pattern: nn.Module,
        skip_aware: bool,
        widths: tuple[int, ...] = (FULL_BITS,),
        merges: int = 0,
    ) -> None:
        super().__init__()
        channels = shape.channels
        self.shape = shape
        self.merge = BehindMerge(merges, channels, skip_aware, widths) if merges else None
        self.pattern: Any = pattern
        self.attention = nn.ModuleDict({p: NormedLinear(channels, channels, skip_aware, widths) for p in PROJECTIONS})
        self.expand = NormedLinear(channels, shape.hidden, skip_aware, widths)
        self.restore = NormedLinear(shape.hidden, channels, skip_aware, widths)

    def forward(self, x: Tensor, skipped: bool, bits: int = FULL_BITS) -> Tensor:
        """float[N,C,H,W] -> float[N,C,H,W]."""
        if self.merge is not None:
            x = self.merge(x, skipped, bits)
        y = self.pattern.before(x)
        query, key, value = (self.attention[p](y, skipped, bits) for p in (QUERY, KEY, VALUE))
        mixed = self.pattern(query * self.shape.scale, key, value)
        x = x + self.pattern.behind(self.attention[OUT](mixed, skipped, bits))
        hidden = quantise_activation(F.relu6(self.expand(x, skipped, bits)), bits)
        made: Tensor = x + self.restore(hidden, skipped, bits, narrow=True)
        return made

    def deployed(self, fold: Folding) -> DeployedTransformerBlock:
        """Convolutions with biases; only what the MLP's second layer reads is rounded to a narrow width."""
        fold.rounded("hidden")

        def linear(tensor: str, layer: nn.Module, reads: str | None = None, gain: float = 1.0) -> nn.Conv2d:
            assert isinstance(layer, NormedLinear)
            return fold.convolution(tensor, layer.conv, layer.norm, reads, gain)

        scales = {QUERY: self.shape.scale}
        layers = {p: linear(p, self.attention[p], gain=scales.get(p, 1.0)) for p in PROJECTIONS}
        expand, restore = linear("hidden", self.expand), linear("restore", self.restore, reads="hidden")
        merge = None if self.merge is None else self.merge.deployed(fold)
        return DeployedTransformerBlock(fold, self.pattern, layers, expand, restore, merge=merge)


class BeforeBlock(Block):
    """Layer norm and attention, layer norm and MLP with GELU, each added to its input.

    Args:
        shape: of the block.
        pattern: which positions see each other.
        skip_aware: whether its norms have twins.
        merges: channels that enter it, where it begins by merging patches; else 0.
    """

    def __init__(self, shape: BlockShape, pattern: nn.Module, skip_aware: bool, merges: int = 0) -> None:
        super().__init__()
        channels = shape.channels
        self.shape = shape
        self.merge = BeforeMerge(merges, channels, skip_aware) if merges else None
        self.pattern: Any = pattern
        self.attention_norm = make_channel_norm(channels, skip_aware)
        self.attention = nn.ModuleDict({p: nn.Conv2d(channels, channels, 1) for p in PROJECTIONS})
        self.mlp_norm = make_channel_norm(channels, skip_aware)
        self.expand = nn.Conv2d(channels, shape.hidden, 1)
        self.restore = nn.Conv2d(shape.hidden, channels, 1)

    def forward(self, x: Tensor, skipped: bool, bits: int = FULL_BITS) -> Tensor:
        """float[N,C,H,W] -> float[N,C,H,W]."""
        if self.merge is not None:
            x = self.merge(x, skipped, bits)
        y = self.pattern.before(self.attention_norm(x, skipped))
        query, key, value = (self.attention[p](y) for p in (QUERY, KEY, VALUE))
        mixed = self.pattern(query * self.shape.scale, key, value)
        x = x + self.pattern.behind(self.attention[OUT](mixed))
        made: Tensor = x + self.restore(F.gelu(self.expand(self.mlp_norm(x, skipped))))
        return made

    def deployed(self, fold: Folding) -> DeployedTransformerBlock:
        """Convolutions with biases on their grids, and the layer norms in force."""
        scales = {QUERY: self.shape.scale}
        layers = {}
        for name, layer in self.attention.items():
            assert isinstance(layer, nn.Conv2d)
            layers[name] = fold.biased(layer, scales.get(name, 1.0))
        norms = {
            "attention": DeployedChannelNorm(fold.site("attention_norm"), fold.twin(self.attention_norm)),
            "mlp": DeployedChannelNorm(fold.site("mlp_norm"), fold.twin(self.mlp_norm)),
        }
        merge = None if self.merge is None else self.merge.deployed(fold)
        expand, restore = fold.biased(self.expand), fold.biased(self.restore)
        return DeployedTransformerBlock(fold, self.pattern, layers, expand, restore, norms, merge)


class DeployedTransformerBlock(DeployedBlock):
    """A block of either form: with norms and GELU, or with neither and ReLU6.

    Args:
        fold: of the block.
        pattern: which positions see each other.
        layers: of the attention.
        norms: "attention" and "mlp"; None where they were folded.
        merge: of patches, before all.
    """

    def __init__(
        self,
        fold: Folding,
        pattern: nn.Module,
        layers: Mapping[str, nn.Conv2d],
        expand: nn.Conv2d,
        restore: nn.Conv2d,
        norms: Mapping[str, DeployedChannelNorm] | None = None,
        merge: DeployedMerge | None = None,
    ) -> None:
        super().__init__(fold.name, fold.bits)
        self.ranges = {"attention": SOFTMAX_RANGE}
        self.attention = DeployedAttention(layers, pattern, f"{fold.name}.")
        self.expand, self.restore = expand, restore
        self.norms = nn.ModuleDict(norms or {})
        self.opset = OPSET_OF_GELU if norms else OPSET
        self.merge = merge

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> float[N,C,H,W]."""
        if self.merge is not None:
            x = self.merge(x, tap)
        y = self.norms["attention"](x, tap) if self.norms else x
        x = tap(f"{self.name}.middle", x + self.attention(y, tap))
        if self.norms:
            y = tap(f"{self.name}.wide", self.expand(self.norms["mlp"](x, tap)))
            y = tap(f"{self.name}.hidden", F.gelu(y))
        else:
            y = tap(f"{self.name}.hidden", self.rounded(F.relu6(self.expand(x))))
        y = tap(f"{self.name}.restore", self.restore(y))
        return tap(f"{self.name}.out", x + y)


class Positions(nn.Module):
    """What is learnt of each position, added to float[N,C,H,W].

    Attributes:
        values: float[1,C,H,W].
    """

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.randn(1, channels, height, width) * 0.02)

    def forward(self, x: Tensor) -> Tensor:
        """float[N,C,H,W] -> the same shape."""
        return x + self.values
