"""Biases of 2-bit convolutions were whole steps of input times weight, of up to 0.9 in units of the activation."""

from __future__ import annotations

import copy

import pytest
import torch

from pipeline.checkpoint import load_network
from pipeline.data import load_dataset, to_input
from pipeline.modes import Mode
from pipeline.networks.deploy import deploy
from tests.pipeline.test_narrow import round_biases
from tests.tiny import TinyBuild


@pytest.mark.xdist_group("tiny_narrow")
def test_rounding_the_biases_of_a_2_bit_mode_leaves_its_logits_as_they_are(tiny_narrow: TinyBuild) -> None:
    net = deploy(load_network(tiny_narrow.recipe), Mode.parse("22.22"))
    rounded = copy.deepcopy(net)
    round_biases(rounded)
    x = to_input(load_dataset("mnist5k").test.images[:200])
    with torch.no_grad():
        exact, ours = net(x), rounded(x)
    # 0.30 with weights of -1, 0 and 1.
    assert float(((ours - exact) ** 2).mean() / (exact**2).mean()) ** 0.5 < 0.12
