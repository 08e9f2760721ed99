# SPDX-License-Identifier: Apache-2.0
"""A channel whose weights decayed to 1e-9 got a step so small that the converter cut its bias off at the end of int32,
and the generator refused the file: a sum might overflow.
"""

from __future__ import annotations

import pytest
import torch

from dimmer.calibration.weights import to_grid
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.networks.deployed import ConvStem
from dimmer.pipeline.networks.families.resnet import BasicBlock, DeployedBasicBlock, ResNet
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig

INPUT_STEP = 1 / 64


def with_dead_channels(offset: float) -> ResNet:
    """Channel 1 of the stem and of a block's first convolution gives `offset` whatever comes."""
    torch.manual_seed(0)
    network = ResNet(ResNetConfig((1,), (1,), (4,), 3, (8, 8), 3, (8, 4, 2))).eval()
    (block, *_) = network.stage(0)
    assert isinstance(block, BasicBlock)
    norms = [network.stem.norm, *(m for n, m in block.norm1.named_modules() if isinstance(m, torch.nn.BatchNorm2d))]
    with torch.no_grad():
        for conv in (network.stem.conv, block.conv1):
            conv.weight[1] = 3e-9 * torch.randn_like(conv.weight[1])
        for norm in norms:
            assert norm.running_var is not None
            assert norm.running_mean is not None
            norm.running_var[1], norm.running_mean[1] = 4e-16, 2e-9
            norm.weight[1], norm.bias[1] = 0.02, offset
    return network


@pytest.mark.parametrize("offset", [-1.35, 0.0, 4.0])
@pytest.mark.parametrize("mode", ["88", "40", "22"])
def test_the_bias_of_a_dead_channel_fits(offset: float, mode: str) -> None:
    network = with_dead_channels(offset)
    deployed = deploy(network, Mode.parse(mode))
    assert isinstance(deployed.stem, ConvStem)
    stem = deployed.stem.conv
    block = deployed.blocks[0]
    assert isinstance(block, DeployedBasicBlock)
    x = (torch.randint(0, 256, (4, 3, 8, 8)) - 128) / 64
    assert float((stem(x)[:, 1] - offset).abs().max()) < 1e-3
    # A narrow weight's step is its own file's, not the grid's of 127 codes.
    narrow = deployed.narrow_weights().get("0.0.conv1")
    for conv, step in ((stem, None), (block.conv1, None if narrow is None else narrow.scale)):
        step = to_grid(conv.weight)[1] if step is None else step
        assert conv.bias is not None
        assert float((conv.bias.double() / (INPUT_STEP * step)).abs().max()) < 2**30
