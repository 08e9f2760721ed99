"""A sub-network as it is deployed: one mode, norms folded, weights on their shared int8 grid.

Everything after training (calibration, export, the check of the converted file) looks at this network, so that what is
calibrated is what is converted. Every tensor that will be quantised is a **site** with a name:

    input, stem, S.B.in, S.B.conv1, S.B.conv2, S.B.shortcut, S.B.out, pool, logits        (stage S, block B, from 0)

`S.B.out` and `stem` are the block boundaries, the residual stream. A block of 4 or 2 bits has a tensor more, `S.B.in`:
the stream rounded to the block's width. It and `S.B.conv1` then lie on the grid of that width by themselves, tapped or
not, with ReLU6's clip as their range.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dimmer.calibration.weights import fold_norm, from_grid, room_for_bias, slice_codes, to_grid
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.modes.mode import FULL_BITS, Mode, check_mode
from dimmer.pipeline.networks.families.resnet import ResNet
from dimmer.pipeline.networks.layers.blocks import select_norm
from dimmer.pipeline.networks.layers.norm import BitNorm
from dimmer.pipeline.networks.layers.quantisers import activation_step, quantise_activation

Tap = Callable[[str, Tensor], Tensor]
"""Called with every site's name and tensor; what it returns goes on (to record, or to quantise in simulation)."""

NormStatistics = Mapping[str, tuple[Tensor, Tensor]]
"""Module name of a batch norm -> (mean float32[C], variance float32[C]) that replace its own."""


@dataclass(frozen=True)
class Position:
    """One place of a schedule: the stem, a block, or the head.

    Attributes:
        name: "stem", "S.B" or "head".
        boundary: the site that is alive after it; None after the head.
    """

    name: str
    boundary: str | None


@dataclass(frozen=True)
class NarrowWeights:
    """Weights of a convolution at 4 or 2 bits: a slice of its int8 codes.

    Attributes:
        bits: 4 or 2.
        codes: int8[O,I,H,W], -7..7, or -7, 0 and 7.
        scale: float64[O], real value of one step of the slice, the norm folded in.
        bias: float64[O].
    """

    bits: int
    codes: Tensor
    scale: Tensor
    bias: Tensor


class DeployedBlock(nn.Module):
    """A residual block of plain convolutions with biases.

    Attributes:
        bits: width of the convolutions' weights and inputs.
        rounds: whether activations are rounded to that width; exporters want the function without.
    """

    def __init__(self, name: str, bits: int, conv1: nn.Conv2d, conv2: nn.Conv2d, shortcut: nn.Conv2d | None) -> None:
        super().__init__()
        self.name = name
        self.bits = bits
        self.rounds = True
        self.conv1, self.act1 = conv1, nn.ReLU6()
        self.conv2, self.act2 = conv2, nn.ReLU6()
        self.shortcut = shortcut

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """float[N,C,H,W] -> float[N,C',H',W']."""
        narrow = self.rounds and self.bits != FULL_BITS
        entry = tap(f"{self.name}.in", quantise_activation(x, self.bits)) if narrow else x
        residual = x if self.shortcut is None else tap(f"{self.name}.shortcut", self.shortcut(entry))
        y = self.act1(self.conv1(entry))
        y = tap(f"{self.name}.conv1", quantise_activation(y, self.bits) if narrow else y)
        y = tap(f"{self.name}.conv2", self.conv2(y))
        return tap(f"{self.name}.out", self.act2(y + residual))


def _pass(_: str, x: Tensor) -> Tensor:
    return x


class DeployedNetwork(nn.Module):
    """One mode of an adaptive network; build it with `deploy`.

    Attributes:
        mode: the mode.
        variants: block name -> which set of norm statistics was folded ("shared", "executed", "skipped", or a hash of
            the statistics where they were recalibrated), after a slash the bits where they are not 8. Equal variants
            of a block fold to equal convolutions.
    """

    def __init__(
        self,
        mode: Mode,
        stem: nn.Conv2d,
        blocks: list[DeployedBlock],
        fc: nn.Linear,
        variants: Mapping[str, str],
        narrow: Mapping[str, NarrowWeights],
    ) -> None:
        super().__init__()
        self._narrow = narrow
        self.mode = mode
        self.variants = dict(variants)
        self.stem, self.act = stem, nn.ReLU6()
        self.blocks = nn.ModuleList(blocks)
        self.fc = fc

    def forward(self, x: Tensor, tap: Tap = _pass) -> Tensor:
        """float[N,C,H,W] -> logits float[N,classes]."""
        x = tap("stem", self.act(self.stem(tap("input", x))))
        for block in self.blocks:
            x = block(x, tap)
        x = tap("pool", F.adaptive_avg_pool2d(x, 1).flatten(1))
        return tap("logits", self.fc(x))

    def untapped(self) -> nn.Module:
        """The same network with the image as its only argument, as exporters want it."""
        return _Untapped(self)

    def narrow_weights(self) -> dict[str, NarrowWeights]:
        """Site -> weights of every convolution of the blocks with 4 or 2 bits."""
        return dict(self._narrow)

    def unrounded(self) -> DeployedNetwork:
        """The same function without the rounding of activations, and so without the sites `S.B.in`.

        It is what is exported: converters have no operator for the rounding, which the finished file gets instead
        (`pipeline.conversion.narrow`).
        """
        same = copy.deepcopy(self)
        for block in same.blocks:
            assert isinstance(block, DeployedBlock)
            block.rounds = False
        return same

    def positions(self) -> tuple[Position, ...]:
        """The schedule's positions; a skipped block repeats the boundary before it."""
        found = [Position("stem", "stem")]
        for s, stage in enumerate(self.mode.blocks):
            for b, bits in enumerate(stage):
                found.append(Position(f"{s}.{b}", f"{s}.{b}.out" if bits else found[-1].boundary))
        return (*found, Position("head", None))


class _Untapped(nn.Module):
    def __init__(self, network: DeployedNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.network(x)
        return logits


def _folded(
    conv: nn.Conv2d, norm_name: str, norm: nn.BatchNorm2d, replaced: NormStatistics, bits: int
) -> tuple[nn.Conv2d, NarrowWeights]:
    own_mean, own_var = norm.running_mean, norm.running_var
    assert own_mean is not None
    assert own_var is not None
    mean, var = replaced.get(norm_name, (own_mean, own_var))
    codes, scale = to_grid(conv.weight)
    codes, step = slice_codes(codes, bits)
    scale = scale * step
    try:
        scale, bias = fold_norm(scale, conv.bias, mean, var, norm.weight, norm.bias, norm.eps)
    except ValueError as error:
        raise DimmerError(f"{norm_name}: {error}; train again with this version") from None
    scale = room_for_bias(scale, bias)
    folded = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,  # type: ignore[arg-type]
        conv.stride,  # type: ignore[arg-type]
        conv.padding,  # type: ignore[arg-type]
    )
    folded.weight.data = from_grid(codes, scale)
    folded.bias = nn.Parameter(bias.to(torch.float32))
    return folded, NarrowWeights(bits, codes, scale.detach(), bias.detach())


def deploy(network: ResNet, mode: Mode, recalibrated: NormStatistics | None = None) -> DeployedNetwork:
    """Folds one mode of a trained network into plain convolutions.

    Args:
        recalibrated: this mode's own norm statistics, if batch-norm recalibration was kept for it.

    Raises:
        DimmerError: the mode does not fit the network, or a gamma is not positive.
    """
    check_mode(mode, network.config.mandatory, network.config.skippable, network.config.bits)
    names = {id(module): name for name, module in network.named_modules()}
    replaced = recalibrated or {}

    def variant(chosen: str, *norms: nn.BatchNorm2d) -> str:
        """`chosen`, with a hash of the statistics that replace these norms' own, if any do."""
        own = [replaced[names[id(norm)]] for norm in norms if names[id(norm)] in replaced]
        if not own:
            return chosen
        content = b"".join(t.numpy().tobytes() for pair in own for t in pair)
        return f"{chosen}-{hashlib.sha256(content).hexdigest()[:8]}"

    narrow: dict[str, NarrowWeights] = {}

    def fold(site: str, conv: nn.Conv2d, norm: nn.BatchNorm2d, bits: int = FULL_BITS) -> nn.Conv2d:
        folded, weights = _folded(conv, names[id(norm)], norm, replaced, bits)
        if bits != FULL_BITS:
            narrow[site] = weights
        return folded

    blocks, variants = [], {"stem": variant("shared", network.stem.norm), "head": "shared"}
    for name, block, skipped, bits in network.blocks(mode):
        short = name.removeprefix("stages.")
        shortcut = None
        if block.shortcut is not None:
            shortcut = fold(
                f"{short}.shortcut", block.shortcut.conv, select_norm(block.shortcut.norm, skipped, bits), bits
            )
        blocks.append(
            DeployedBlock(
                short,
                bits,
                fold(f"{short}.conv1", block.conv1, select_norm(block.norm1, skipped, bits), bits),
                fold(f"{short}.conv2", block.conv2, select_norm(block.norm2, skipped, bits), bits),
                shortcut,
            )
        )
        of_width = block.norm1.at(bits) if isinstance(block.norm1, BitNorm) else block.norm1
        chosen = "shared" if isinstance(of_width, nn.BatchNorm2d) else ("skipped" if skipped else "executed")
        if bits != FULL_BITS:
            chosen += f"/{bits}"
        norms = [select_norm(norm, skipped, bits) for norm in (block.norm1, block.norm2)]
        if block.shortcut is not None:
            norms.append(select_norm(block.shortcut.norm, skipped, bits))
        variants[short] = variant(chosen, *norms)
    codes, scale = to_grid(network.fc.weight)
    scale = room_for_bias(scale, network.fc.bias.detach().double())
    fc = nn.Linear(network.fc.in_features, network.fc.out_features)
    fc.weight.data = from_grid(codes, scale)
    fc.bias.data = network.fc.bias.detach().clone()
    return (
        DeployedNetwork(mode, fold("stem", network.stem.conv, network.stem.norm), blocks, fc, variants, narrow)
        .eval()
        .requires_grad_(False)
    )


def fixed_ranges(network: DeployedNetwork) -> dict[str, tuple[float, float]]:
    """Site -> (low, high) of the sites whose grid is that of a narrow width, as 256 codes of its step.

    Only the first 2^bits of these codes occur: ReLU6 cuts the rest.
    """
    found: dict[str, tuple[float, float]] = {}
    for block in network.blocks:
        assert isinstance(block, DeployedBlock)
        if block.bits != FULL_BITS:
            grid = (0.0, 255 * activation_step(block.bits))
            found |= {f"{block.name}.in": grid, f"{block.name}.conv1": grid}
    return found


def range_group(network: DeployedNetwork, site: str) -> str:
    """The name under which a site's calibration range is shared between modes.

    Block boundaries of one stage share a range in all modes (docs/architecture.md, rule 3); a tensor inside a block
    shares it with every mode that runs the block with the same norm statistics, because then multipliers and biases
    are equal and stand in flash once. Pool and logits are common to all, so that every mode's output has one scale.
    """
    if site in ("input", "stem", "pool", "logits"):
        return site
    stage, block, tensor = site.split(".")
    if tensor == "out":
        return f"stream.{stage}"
    return f"{site}@{network.variants[f'{stage}.{block}']}"
