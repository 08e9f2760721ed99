# SPDX-License-Identifier: Apache-2.0
"""What families deploy their blocks with: norms folded into convolutions whose weights lie on their int8 grid."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dimmer.calibration.batchnorm import NormStatistics
from dimmer.calibration.weights import fold_norm, from_grid, room_for_bias, slice_codes, to_grid
from dimmer.errors import DimmerError
from dimmer.pipeline.modes.width import FULL_BITS, activation_bits, weight_bits
from dimmer.pipeline.networks.layers.blocks import Norm, select_norm
from dimmer.pipeline.networks.layers.channel_norm import ChannelNorm, SkipAwareChannelNorm
from dimmer.pipeline.networks.layers.norm import BitNorm, SkipAwareNorm
from dimmer.pipeline.networks.sites import NarrowTensor


@dataclass(frozen=True)
class NarrowWeights:
    """Weights of a convolution at 4 or 2 bits: a slice of its int8 codes.

    Attributes:
        bits: 4 or 2.
        codes: int8[O,I,H,W], -7..7, or -7, 0 and 7.
        scale: float64[O], real value of one step of the slice, the norm folded in.
        bias: float64[O].
        reads: the site that the convolution reads.
    """

    bits: int
    codes: Tensor
    scale: Tensor
    bias: Tensor
    reads: str


class Folding:
    """Folds one part of a network (stem, block or head) as one mode runs it, and remembers what it folded.

    Args:
        name: the part: "stem", "S.B" or "head".
        entry: the site that enters it.
        skipped: the skip flag of its stage.
        bits: width of its narrow convolutions.
        norms: id of a norm -> its module name in the network.
        statistics: those that replace the norms' own in this mode.

    Attributes:
        weights: site -> weights, of the convolutions folded at 4 or 2 bits.
        tensors: site -> grid, of the activations on a narrow one.
    """

    def __init__(
        self,
        name: str,
        entry: str,
        skipped: bool,
        bits: int,
        norms: Mapping[int, str],
        statistics: NormStatistics,
    ) -> None:
        self.name = name
        self.entry = entry
        self.skipped = skipped
        self.bits = bits
        self.weights: dict[str, NarrowWeights] = {}
        self.tensors: dict[str, NarrowTensor] = {}
        self._names = norms
        self._statistics = statistics
        self._folded: list[nn.BatchNorm2d] = []
        self._twins = False
        self._unrounded: str | None = None

    def site(self, tensor: str) -> str:
        """The name of one of the part's tensors."""
        return f"{self.name}.{tensor}"

    def rounded(self, tensor: str, copy: bool = False) -> None:
        """Tells that a tensor lies on the grid of the width's activations, where that is narrow.

        Args:
            copy: it is the part's entry, rounded; else an operator's output.
        """
        bits = activation_bits(self.bits)
        if bits != FULL_BITS:
            self.tensors[self.site(tensor)] = NarrowTensor(bits, self.entry if copy else None)
        elif copy:
            self._unrounded = self.site(tensor)

    def convolution(
        self, tensor: str, conv: nn.Conv2d, norm: Norm, reads: str | None = None, gain: float = 1.0
    ) -> nn.Conv2d:
        """The convolution with its norm folded in: weights codes x step, and a bias.

        Args:
            tensor: the part's tensor that it makes.
            norm: behind it; the one in force in this mode is folded.
            reads: the part's tensor that it reads, if that is rounded to the width's activations: its weights then
                are slices of the width's. Without it they have 8 bits whatever the part's width.
            gain: positive factor of the result, which costs nothing here.

        Raises:
            DimmerError: a gamma is not positive, or narrow weights are those of a convolution with groups.
        """
        own = select_norm(norm, self.skipped, self.bits)
        self._folded.append(own)
        of_width = norm.at(self.bits) if isinstance(norm, BitNorm) else norm
        self._twins |= isinstance(of_width, SkipAwareNorm)
        bits = FULL_BITS if reads is None else weight_bits(self.bits)
        codes, scale, bias = self._codes(conv, own, bits)
        scale, bias = scale * gain, bias * gain
        if reads is not None and bits != FULL_BITS:
            if conv.groups != 1:
                raise DimmerError(f"{self.site(tensor)} has groups; weights of 4 and 2 bits are for those without")
            source = self.site(reads)
            source = self.entry if source == self._unrounded else source
            self.weights[self.site(tensor)] = NarrowWeights(bits, codes, scale, bias, source)
        return _convolution(conv, codes, scale, bias)

    def biased(self, conv: nn.Conv2d, gain: float = 1.0) -> nn.Conv2d:
        """A convolution without a norm behind it, with its weights, always of 8 bits, on their grid.

        Args:
            conv: with a bias or without.
            gain: positive factor of the result.
        """
        codes, scale = to_grid(conv.weight)
        bias = torch.zeros_like(scale) if conv.bias is None else conv.bias.detach().double() * gain
        return _convolution(conv, codes, room_for_bias(scale * gain, bias), bias)

    def twin(self, norm: ChannelNorm | SkipAwareChannelNorm) -> ChannelNorm:
        """The layer norm in force, which is folded into nothing."""
        self._twins |= isinstance(norm, SkipAwareChannelNorm)
        return norm.select(self.skipped)

    def _codes(self, conv: nn.Conv2d, norm: nn.BatchNorm2d, bits: int) -> tuple[Tensor, Tensor, Tensor]:
        """(codes int8[O,I,H,W], step float64[O], bias float64[O]) with the norm folded in."""
        name = self._names[id(norm)]
        own_mean, own_var = norm.running_mean, norm.running_var
        assert own_mean is not None
        assert own_var is not None
        mean, var = self._statistics.get(name, (own_mean, own_var))
        codes, scale = to_grid(conv.weight)
        codes, step = slice_codes(codes, bits)
        scale = scale * step
        try:
            scale, bias = fold_norm(scale, conv.bias, mean, var, norm.weight, norm.bias, norm.eps)
        except ValueError as error:
            raise DimmerError(f"{name}: {error}; train again with this version") from None
        return codes, room_for_bias(scale, bias).detach(), bias.detach()

    def linear(self, fc: nn.Linear) -> nn.Linear:
        """The layer with its weights, always of 8 bits, on their grid."""
        codes, scale = to_grid(fc.weight)
        bias = torch.zeros(fc.out_features) if fc.bias is None else fc.bias.detach().clone()
        scale = room_for_bias(scale, bias.double())
        folded = nn.Linear(fc.in_features, fc.out_features)
        folded.weight.data = from_grid(codes, scale)
        folded.bias.data = bias
        return folded

    @property
    def variant(self) -> str:
        """Which set of norms was folded: "shared", or "executed" or "skipped" where they have twins; behind a slash the
        width where it is not 8; then a hash of the statistics that replaced the norms' own, if any did. Equal
        variants of a part fold to equal convolutions.
        """
        chosen = "shared" if not self._twins else ("skipped" if self.skipped else "executed")
        if self.bits != FULL_BITS:
            chosen += f"/{self.bits}"
        names = [self._names[id(norm)] for norm in self._folded]
        replaced = [self._statistics[name] for name in names if name in self._statistics]
        if not replaced:
            return chosen
        content = b"".join(t.numpy().tobytes() for pair in replaced for t in pair)
        return f"{chosen}-{hashlib.sha256(content).hexdigest()[:8]}"


def norms_of(variant: str) -> str:
    """A part's variant as it would be with the statistics of the norms themselves."""
    return variant.partition("-")[0]


def _convolution(conv: nn.Conv2d, codes: Tensor, scale: Tensor, bias: Tensor) -> nn.Conv2d:
    """A convolution of the same shape with weights codes x step, and a bias."""
    made = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,  # type: ignore[arg-type]
        conv.stride,  # type: ignore[arg-type]
        conv.padding,  # type: ignore[arg-type]
        dilation=conv.dilation,  # type: ignore[arg-type]
        groups=conv.groups,
    )
    made.weight.data = from_grid(codes, scale)
    made.bias = nn.Parameter(bias.to(torch.float32))
    return made
