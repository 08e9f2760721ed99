# SPDX-License-Identifier: Apache-2.0
"""The ends of most convolutional families."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dimmer.pipeline.networks.families.autoencoder import Autoencoder
from dimmer.pipeline.networks.families.ds_cnn import DSCNN
from dimmer.pipeline.networks.plain import PlainNetwork


@pytest.mark.parametrize("family", [Autoencoder, DSCNN])
def test_it_ends_in_the_mean_of_each_channel(family: type[PlainNetwork]) -> None:
    network = family.__new__(family)
    nn.Module.__init__(network)
    network.fc = nn.Linear(3, 2, bias=False)
    network.fc.weight.data = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, -1.0]])
    stream = torch.stack([torch.full((2, 2), 1.0), torch.tensor([[0.0, 4.0], [0.0, 4.0]]), torch.full((2, 2), 3.0)])
    assert network.classify(stream[None]).tolist() == [[1.0, -1.0]]
