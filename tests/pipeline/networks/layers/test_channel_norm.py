# SPDX-License-Identifier: Apache-2.0
"""Layer norm over channels: torch's own, with a twin, and of plain operators."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dimmer.pipeline.networks.layers.channel_norm import (
    EPSILON,
    ChannelNorm,
    DeployedChannelNorm,
    SkipAwareChannelNorm,
    make_channel_norm,
)


def test_it_is_torchs_layer_norm_of_the_last_dimension() -> None:
    x, norm = torch.randn(2, 5, 3, 4), ChannelNorm(5)
    nn.init.uniform_(norm.weight), nn.init.uniform_(norm.bias)
    expected = F.layer_norm(x.permute(0, 2, 3, 1), (5,), norm.weight, norm.bias, EPSILON).permute(0, 3, 1, 2)
    torch.testing.assert_close(norm(x), expected)
    seen: dict[str, Tensor] = {}
    torch.testing.assert_close(DeployedChannelNorm("n", norm)(x, lambda s, y: seen.setdefault(s, y)), expected)
    parts = ("mean", "centred", "squares", "variance", "shifted", "inverse", "scaled", "gained")
    assert list(seen) == [*(f"n_{part}" for part in parts), "n"]


def test_a_twin_has_gamma_and_beta_for_each_state() -> None:
    x, norm = torch.randn(2, 5, 3, 4), make_channel_norm(5, skip_aware=True)
    assert isinstance(norm, SkipAwareChannelNorm)
    nn.init.constant_(norm.skipped.bias, 5.0)
    torch.testing.assert_close(norm(x, True), norm(x, False) + 5)
    assert isinstance(make_channel_norm(5, skip_aware=False), ChannelNorm)
