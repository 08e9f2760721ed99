# SPDX-License-Identifier: Apache-2.0
"""Biases of 2-bit convolutions were whole steps of input times weight, of up to 0.9 in units of the activation."""

from __future__ import annotations

import torch
from torch import nn

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks import build
from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.networks.layers.quantisers import activation_step


def test_a_rounded_bias_of_a_2_bit_convolution_is_near_the_trained_one() -> None:
    torch.manual_seed(0)
    network = build("resnet", ResNetConfig((1, 1), (1, 1), (8, 16), 3, (16, 16), 10, (8, 4, 2)))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias, 0.0, 0.5)

    def mean_error(coarser: int) -> float:
        errors = []
        for weights in deploy(network.eval(), Mode.parse("22.22")).narrow_weights().values():
            step = weights.scale * activation_step(2) * coarser
            errors.append((torch.round(weights.bias / step) * step - weights.bias).abs())
        return float(torch.cat(errors).mean())

    # With weights of -1, 0 and 1 a step was seven times as large.
    assert mean_error(1) < mean_error(7) / 4
    assert mean_error(1) < activation_step(2) / 50
