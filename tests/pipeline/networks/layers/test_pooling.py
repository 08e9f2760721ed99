# SPDX-License-Identifier: Apache-2.0
"""Max pooling of what is not negative, and means."""

import torch
from torch.nn import functional as F

from dimmer.pipeline.networks.layers.pooling import channel_means, halved


def test_padding_with_zeros_is_none_where_nothing_is_negative() -> None:
    for size in ((7, 8), (2, 3)):
        x = torch.rand(2, 3, *size)
        assert torch.equal(halved(x), F.max_pool2d(x, 3, 2, 1))


def test_means_of_channels() -> None:
    x = torch.rand(2, 3, 4, 5)
    torch.testing.assert_close(channel_means(x), x.mean((2, 3)))
