# SPDX-License-Identifier: Apache-2.0
"""A layer norm's gamma folded into the linear layer behind it gave two modes other int8 codes of one weight.

It scales the layer's inputs, and the steps of a weight are its outputs': gammas stay operators, and the codes of all
modes are equal however the twins' gammas differ.
"""

from __future__ import annotations

import torch

from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.networks.layers.channel_norm import SkipAwareChannelNorm
from tests.pipeline.networks.families import road
from tests.pipeline.networks.families.test_vit import PUBLISHED


def test_twins_with_other_gammas_read_the_same_weights() -> None:
    net = road.network("vit", PUBLISHED)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, SkipAwareChannelNorm):
                module.skipped.weight.copy_(module.executed.weight.flip(0) * 3)
    road.check_one_blob(net)
    modes = (net.super_mode(), net.base_mode())
    first, second = (dict(deploy(net, mode).blocks[0].named_parameters()) for mode in modes)
    assert not torch.equal(first["norms.mlp.weight"], second["norms.mlp.weight"])
    assert torch.equal(first["expand.weight"], second["expand.weight"])
