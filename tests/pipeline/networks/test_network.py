# SPDX-License-Identifier: Apache-2.0
"""What every network gets from `Network`, tried on a family that does not ship."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from dimmer.errors import DimmerError
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.gates.budget import GateConfig, gated_cost
from dimmer.pipeline.networks.gates.network import GatedNetwork, Gates
from dimmer.pipeline.subnets.norms import trained_prefix
from tests.pipeline.networks.toy_family import SMALL, ToyNetwork, images, small


def test_the_toys_cost_equals_the_macs_that_really_run() -> None:
    network = small()
    for mode in network.depth_patterns():
        counted = 0

        def count(module: nn.Module, _: object, out: torch.Tensor) -> None:
            nonlocal counted
            if isinstance(module, nn.Conv2d):
                counted += out[0].numel() * module.weight[0].numel()
            elif isinstance(module, nn.Linear):
                counted += module.weight.numel()

        hooks = [module.register_forward_hook(count) for module in network.modules()]
        with torch.no_grad():
            network(images(1), mode)
        for hook in hooks:
            hook.remove()
        assert mode.macs(network.cost()) == counted, str(mode)


def test_what_enters_a_stage_is_what_its_gates_pool() -> None:
    network, stream = small(), small().stem(images(1))
    for number, entry in enumerate(SMALL.entries()):
        assert (entry.channels, entry.pixels) == (stream.shape[1], stream.shape[2] * stream.shape[3])
        for block in network.stage(number):
            stream = block(stream, False)


@pytest.mark.parametrize("name", ["88.888", "80.440", "24.480"])
def test_the_parameters_of_a_mode_are_those_that_get_gradients(name: str) -> None:
    network, mode = small().train(), Mode.parse(name)
    network(images(), mode).sum().backward()
    assert network.parameters_in(mode) == {p for p in network.parameters() if p.grad is not None}


def test_a_gated_run_is_a_run_of_the_modes_that_its_gates_chose() -> None:
    network, shape = small(), GateConfig(features=3, hidden=4)
    gates = Gates(SMALL, shape)
    for head in gates.heads:
        nn.init.normal_(head.weight, 0, 3.0)  # type: ignore[arg-type]
    gated = GatedNetwork(network, gates, gated_cost(SMALL, network.cost(), shape)).eval()
    x, level = images(), torch.linspace(0, 255, 6)
    with torch.no_grad():
        outcome = gated(x, level)
        for image, logits, bits in zip(x, outcome.logits, outcome.bits().tolist(), strict=True):
            mode = Mode((tuple(bits[:2]), tuple(bits[2:])))
            torch.testing.assert_close(network(image[None], mode)[0], logits)
    assert len({tuple(bits) for bits in outcome.bits().tolist()}) > 1


@pytest.mark.parametrize(
    ("mode", "blocks"),
    [("80.888", {"0.0"}), ("80.880", {"0.0", "1.0", "1.1"}), ("88.880", {"0.0", "0.1"}), ("84.444", {"0.0"})],
)
def test_a_mode_begins_like_a_trained_one_in_the_toy_too(mode: str, blocks: set[str]) -> None:
    names = trained_prefix(small(), Mode.parse(mode))
    assert "stem.1" in names
    norms = [name.split(".") for name in names if name.endswith("inner_norm")]
    assert {f"{stage}.{block}" for _, stage, block, _ in norms} == blocks


def test_a_width_that_was_not_trained_is_refused() -> None:
    plain = ToyNetwork(replace(SMALL, bits=(8,)))
    with pytest.raises(DimmerError, match=r"4 bits; this network was trained for 8 "):
        plain(images(1), Mode.parse("84.888"))


def test_a_family_with_one_classifier_says_so() -> None:
    with pytest.raises(DimmerError, match=r"a ToyNetwork has one classifier; set train\.own_classifier to false"):
        small().add_base_classifier()
    with pytest.raises(DimmerError, match="a ToyNetwork has one classifier"):
        small().classify_base(torch.zeros(1, 1, 1, 1))
