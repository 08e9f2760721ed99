# SPDX-License-Identifier: Apache-2.0
"""A small ResNet whose blocks run with 8, 4 and 2 bits, for tests."""

from __future__ import annotations

import torch

from dimmer.pipeline.networks.families.resnet import ResNet
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig

CONFIG = ResNetConfig((1, 1), (1, 1), (4, 6), 1, (8, 8), 3, (8, 4, 2))


def narrow_resnet() -> ResNet:
    """Untrained, in eval mode, each norm with statistics of its own."""
    torch.manual_seed(3)
    network = ResNet(CONFIG)
    for i, module in enumerate(m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        torch.nn.init.uniform_(module.weight, 0.5, 1.5)
        assert module.running_mean is not None
        assert module.running_var is not None
        module.running_mean.fill_(0.01 * i)
        module.running_var.fill_(1 + 0.02 * i)
    return network.eval()
