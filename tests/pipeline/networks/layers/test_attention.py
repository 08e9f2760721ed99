# SPDX-License-Identifier: Apache-2.0
"""Attention between all positions is torch's own."""

import torch
from torch.nn import functional as F

from dimmer.pipeline.networks.layers.attention import Everywhere, attend


def test_it_is_torchs_attention() -> None:
    query, key, value = torch.randn(3, 2, 6, 20)
    query, key, value = (x.reshape(2, 6, 4, 5) for x in (query, key, value))
    heads = [x.reshape(2, 3, 2, 20).transpose(2, 3) for x in (query, key, value)]
    expected = F.scaled_dot_product_attention(*heads).transpose(2, 3).reshape(2, 6, 4, 5)
    torch.testing.assert_close(attend(query * 2**-0.5, key, value, 3), expected)
    torch.testing.assert_close(Everywhere(3)(query * 2**-0.5, key, value), expected)
