# SPDX-License-Identifier: Apache-2.0
"""The integers of a mode, computed from the trained network and its calibration alone: no converter, no .tflite.

Everything that the converted file says (codes, scales, biases, multipliers) is derived here a second time from the
paper's side: int8 codes and folded norms of `deploy`, calibrated ranges, slices for narrow blocks. The stock
interpreter running the converted file must give the same bytes (tests/pipeline/test_integer.py).

Integer rescaling as in TFLite's reference kernels (tensorflow/lite/kernels/internal/common.h and reference/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dimmer.calibration.ranges import Range, affine
from dimmer.firmware_gen.graph.fixed_point import (
    mean_multiplier,
    quantize_multiplier,
    ratio_multiplier,
    round_half_away,
    sum_multipliers,
)
from dimmer.firmware_gen.graph.types import Quantisation
from dimmer.pipeline.modes.width import FULL_BITS, activation_bits

if TYPE_CHECKING:
    import torch
    from torch import nn

    from dimmer.pipeline.networks.deployed import DeployedNetwork
    from dimmer.pipeline.networks.families.resnet import DeployedBasicBlock

Codes = npt.NDArray[np.int64]
_LEFT_SHIFT = 20


def rescale(values: Codes, multiplier: int | Codes, shift: int | Codes) -> Codes:
    """`MultiplyByQuantizedMultiplier` with single rounding off: doubling high product, then a rounding shift.

    Args:
        multiplier, shift: one, or one for each entry of the last axis; a positive shift is to the left.
    """
    left, right = np.maximum(shift, 0), np.maximum(-np.asarray(shift), 0)
    product = (values << left) * multiplier
    nudge = np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    # Division towards zero, as C's.
    high = np.sign(product + nudge) * (np.abs(product + nudge) >> 31)
    mask = (np.int64(1) << right) - 1
    threshold = (mask >> 1) + (high < 0)
    result: Codes = (high >> right) + ((high & mask) > threshold)
    return result


@dataclass(frozen=True)
class Tensor8:
    """Codes int64[N,...] with channels last, on a grid."""

    codes: Codes
    grid: Quantisation


@dataclass(frozen=True)
class Weights8:
    """Codes int64[O,H,W,I] or [O,I], one step for each output channel, and biases in real units."""

    codes: Codes
    scales: tuple[float, ...]
    bias: npt.NDArray[np.float64]


class IntegerNetwork:
    """One mode of a network in integers.

    Args:
        network: deployed with the mode's own norm statistics.
        ranges: site -> (low, high), from the calibration.
    """

    def __init__(self, network: DeployedNetwork, ranges: Mapping[str, tuple[float, float]]) -> None:
        self._network = network
        self._narrow = network.narrow_weights()
        self._grids = {}
        for site, (low, high) in ranges.items():
            # The quantiser's statistics are float32.
            scale = (np.float32(high) - np.float32(low)) / np.float32(255)
            self._grids[site] = Quantisation((float(scale),), (affine(Range(low, high)).zero_point,), 0)

    def __call__(self, images: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """int8[N,H,W,C] -> logits' codes int8[N,classes]."""
        stem = self._network.stem.conv
        x = self._conv("stem", stem, Tensor8(images.astype(np.int64), self._grids["input"]), clip=True)  # type: ignore[arg-type]
        for block in self._network.blocks:
            x = self._block(block, x)  # type: ignore[arg-type]
        return self._head(x).astype(np.int8)

    def _block(self, block: DeployedBasicBlock, x: Tensor8) -> Tensor8:
        name = block.name
        entry = x if activation_bits(block.bits) == FULL_BITS else self._rounded(x, self._grids[f"{name}.in"])
        residual = x if block.shortcut is None else self._conv(f"{name}.shortcut", block.shortcut, entry)
        y = self._conv(f"{name}.conv1", block.conv1, entry, clip=True)
        y = self._conv(f"{name}.conv2", block.conv2, y)
        return self._sum(y, residual, self._grids[f"{name}.out"])

    def _weights(self, site: str, layer: nn.Conv2d | nn.Linear) -> Weights8:
        assert layer.bias is not None
        if site in self._narrow:
            narrow = self._narrow[site]
            scales = tuple(float(np.float32(s)) for s in narrow.scale.numpy())
            return Weights8(np.moveaxis(narrow.codes.numpy().astype(np.int64), 1, -1), scales, narrow.bias.numpy())
        weight = layer.weight.numpy()
        largest = np.abs(weight.reshape(len(weight), -1)).max(1)
        steps = (np.maximum(largest, np.float32(1e-9)) / np.float32(127)).astype(np.float32)
        codes = np.rint(weight / steps.reshape(-1, *(1,) * (weight.ndim - 1))).clip(-127, 127).astype(np.int64)
        if codes.ndim == 4:
            codes = np.moveaxis(codes, 1, -1)
        return Weights8(codes, tuple(map(float, steps)), layer.bias.numpy().astype(np.float64))

    def _sums(self, x: Tensor8, weights: Weights8, stride: int, padding: int) -> Codes:
        """Accumulators with their biases: convolution in double, exact below 2^53."""
        import torch
        from torch.nn import functional as F

        centred = torch.from_numpy((x.codes - x.grid.zero_point).astype(np.float64))
        w = torch.from_numpy(weights.codes.astype(np.float64))
        if w.dim() == 2:
            sums = centred @ w.T
        else:
            sums = F.conv2d(centred.permute(0, 3, 1, 2), w.permute(0, 3, 1, 2), stride=stride, padding=padding).permute(
                0, 2, 3, 1
            )
        steps = x.grid.scale * np.array(weights.scales)
        exact: Codes = sums.numpy().astype(np.int64) + np.rint(weights.bias / steps).astype(np.int64)
        return exact

    def _conv(self, site: str, layer: nn.Conv2d, x: Tensor8, clip: bool = False) -> Tensor8:
        weights, grid = self._weights(site, layer), self._grids[site]
        assert isinstance(layer.padding, tuple)
        sums = self._sums(x, weights, layer.stride[0], layer.padding[0])
        pairs = [quantize_multiplier(x.grid.scale * scale / grid.scale) for scale in weights.scales]
        out = rescale(sums, np.array([m for m, _ in pairs]), np.array([s for _, s in pairs])) + grid.zero_point
        return Tensor8(_clipped(out, grid, clip), grid)

    def _rounded(self, x: Tensor8, grid: Quantisation) -> Tensor8:
        out = rescale(x.codes - x.grid.zero_point, *ratio_multiplier(x.grid, grid)) + grid.zero_point
        return Tensor8(out.clip(-128, 127), grid)

    def _sum(self, first: Tensor8, second: Tensor8, grid: Quantisation) -> Tensor8:
        a, b, out = sum_multipliers(first.grid, second.grid, grid, _LEFT_SHIFT)
        total = rescale((first.codes - first.grid.zero_point) << _LEFT_SHIFT, *a)
        total += rescale((second.codes - second.grid.zero_point) << _LEFT_SHIFT, *b)
        return Tensor8(_clipped(rescale(total, *out) + grid.zero_point, grid, clip=True), grid)

    def _head(self, x: Tensor8) -> Codes:
        grid, pixels = self._grids["pool"], x.codes.shape[1] * x.codes.shape[2]
        total = x.codes.sum((1, 2)) - x.grid.zero_point * pixels
        pooled = rescale(total, *mean_multiplier(x.grid, grid, pixels)) + grid.zero_point
        pool = Tensor8(pooled.clip(-128, 127), grid)
        weights, grid = self._weights("logits", self._network.head.fc), self._grids["logits"]  # type: ignore[arg-type]
        sums = self._sums(pool, weights, 1, 0)
        scales = [pool.grid.scale * scale / grid.scale for scale in weights.scales]
        # The reference kernel of FULLY_CONNECTED rescales in double.
        rows = [[round_half_away(float(s) * f) for s, f in zip(row, scales, strict=True)] for row in sums]
        return (np.array(rows, np.int64) + grid.zero_point).clip(-128, 127)


def _clipped(codes: Codes, grid: Quantisation, clip: bool) -> Codes:
    """Saturated to int8; with ReLU6's limits where `clip`."""
    low, high = -128, 127
    if clip:
        low = max(low, grid.zero_point)
        high = min(high, grid.zero_point + round_half_away(float(np.float32(6) / np.float32(grid.scale))))
    return codes.clip(low, high)


def integer_network(
    network: torch.nn.Module,
    mode: str,
    statistics: Mapping[str, tuple[torch.Tensor, torch.Tensor]],
    ranges: Mapping[str, tuple[float, float]],
) -> IntegerNetwork:
    """The integers of one mode of a trained network."""
    from dimmer.pipeline.modes.mode import Mode
    from dimmer.pipeline.networks.deploy import deploy
    from dimmer.pipeline.networks.families.resnet import ResNet

    assert isinstance(network, ResNet)
    return IntegerNetwork(deploy(network, Mode.parse(mode), statistics), ranges)
