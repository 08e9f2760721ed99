# SPDX-License-Identifier: Apache-2.0
"""Folding tells variants apart, and refuses what no operator computes."""

from __future__ import annotations

import pytest
import torch

from dimmer.calibration.batchnorm import NormStatistics
from dimmer.errors import DimmerError
from dimmer.pipeline.networks.folding import Folding, norms_of
from dimmer.pipeline.networks.layers.norm import SkipAwareNorm
from tests.pipeline.networks.toy_family import Separable, small


def fold_of(
    block: str, skipped: bool, bits: int, statistics: NormStatistics | None = None
) -> tuple[Folding, Separable]:
    network = small()
    stage, number = map(int, block.split("."))
    module = network.stage(stage)[number]
    assert isinstance(module, Separable)
    norms = {id(module): name for name, module in network.named_modules()}
    return Folding(block, "stem", skipped, bits, norms, statistics or {}), module


def test_a_convolution_with_groups_has_no_narrow_weights() -> None:
    fold, block = fold_of("0.0", False, 4)
    with pytest.raises(DimmerError, match=r"0\.0\.depthwise has groups"):
        fold.convolution("depthwise", block.depthwise, block.inner_norm, reads="in")


@pytest.mark.parametrize(
    ("block", "skipped", "bits", "variant"),
    [
        ("0.0", False, 8, "executed"),
        ("0.0", True, 4, "skipped/4"),
        ("0.1", False, 8, "shared"),
        ("0.1", False, 2, "shared/2"),
    ],
)
def test_a_variant_names_the_norms_that_were_folded(block: str, skipped: bool, bits: int, variant: str) -> None:
    fold, module = fold_of(block, skipped, bits)
    module.deployed(fold)
    assert fold.variant == variant


@pytest.mark.parametrize(("bits", "weights", "reads"), [(48, 4, "stem"), (28, 2, "stem"), (24, 2, "0.0.in")])
def test_a_pair_has_slices_of_its_weights_and_reads_the_stream_where_that_is_not_rounded(
    bits: int, weights: int, reads: str
) -> None:
    torch.manual_seed(1)
    norm = SkipAwareNorm(4).eval()
    fold = Folding("0.0", "stem", False, bits, {id(norm.executed): "norm", id(norm.skipped): "twin"}, {})
    fold.rounded("in", copy=True)
    fold.rounded("inner")
    fold.convolution("conv", torch.nn.Conv2d(4, 4, 1, bias=False), norm, reads="in")
    found = fold.weights["0.0.conv"]
    assert (found.bits, found.reads) == (weights, reads)
    assert set(fold.tensors) == (set() if reads == "stem" else {"0.0.in", "0.0.inner"})
    assert {tensor.bits for tensor in fold.tensors.values()} <= {4}
    assert fold.variant == f"executed/{bits}"


def test_other_statistics_are_another_variant() -> None:
    name, zeros, ones = "stages.0.1.inner_norm.of_bits.8", torch.zeros(4), torch.ones(4)
    variants = set()
    for mean in (zeros, ones, ones.clone()):
        fold, module = fold_of("0.1", False, 8, {name: (mean, ones)})
        module.deployed(fold)
        assert fold.variant.startswith("shared-")
        assert norms_of(fold.variant) == norms_of("shared") == "shared"
        variants.add(fold.variant)
    assert len(variants) == 2
