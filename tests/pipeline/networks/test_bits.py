"""Blocks with 4 and 2 bits: norms of their own, and the deployed network computes what was trained."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.deploy import deploy, range_group
from dimmer.pipeline.networks.families.resnet import ResNet
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.networks.layers.quantisers import activation_step

CONFIG = ResNetConfig((1, 1), (1, 1), (4, 6), 1, (8, 8), 3, (8, 4, 2))


@pytest.fixture
def network() -> ResNet:
    torch.manual_seed(3)
    network = ResNet(CONFIG)
    for i, module in enumerate(m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        torch.nn.init.uniform_(module.weight, 0.5, 1.5)
        assert module.running_mean is not None
        assert module.running_var is not None
        module.running_mean.fill_(0.01 * i)
        module.running_var.fill_(1 + 0.02 * i)
    return network.eval()


@pytest.mark.parametrize("name", ["88.88", "44.44", "22.22", "84.20", "28.40"])
def test_deployed_equals_trained(network: ResNet, name: str) -> None:
    x = torch.randn(2, 1, 8, 8)
    mode = Mode.parse(name)
    with torch.no_grad():
        trained, deployed = network(x, mode), deploy(network, mode)(x)
    # At 8 bits the trained weight is float, the deployed one on its grid; a rounding may tip over at a narrow entry.
    assert float((trained - deployed).abs().median()) < 0.02


def test_narrow_tensors_lie_on_their_grid_and_weights_on_their_slice(network: ResNet) -> None:
    deployed = deploy(network, Mode.parse("84.20"))
    seen: dict[str, torch.Tensor] = {}

    def tap(site: str, x: torch.Tensor) -> torch.Tensor:
        seen[site] = x
        return x

    with torch.no_grad():
        deployed(torch.randn(2, 1, 8, 8), tap)
    for site, bits in (("0.1.in", 4), ("0.1.conv1", 4), ("1.0.in", 2), ("1.0.conv1", 2)):
        codes = seen[site] / activation_step(bits)
        assert torch.allclose(codes, codes.round(), atol=1e-4)
        assert int(codes.round().max()) < 2**bits
    assert "0.0.in" not in seen
    narrow = deployed.narrow_weights()
    assert set(narrow) == {"0.1.conv1", "0.1.conv2", "1.0.conv1", "1.0.conv2", "1.0.shortcut"}
    assert int(narrow["0.1.conv1"].codes.abs().max()) == 7
    assert narrow["1.0.shortcut"].codes.unique().tolist() == [-7, 0, 7]


def test_widths_share_ranges_only_with_themselves(network: ResNet) -> None:
    wide, narrow = (deploy(network, Mode.parse(name)) for name in ("88.88", "84.88"))
    assert range_group(wide, "0.1.conv1") != range_group(narrow, "0.1.conv1")
    assert range_group(wide, "0.0.conv1") == range_group(narrow, "0.0.conv1")
    assert range_group(wide, "0.1.out") == range_group(narrow, "0.1.out") == "stream.0"


def test_a_width_that_was_not_trained_is_refused(network: ResNet) -> None:
    plain = ResNet(replace(CONFIG, bits=(8,)))
    with pytest.raises(DimmerError, match=r"4 bits; this network was trained for 8 "):
        plain(torch.zeros(1, 1, 8, 8), Mode.parse("84.88"))


@pytest.mark.parametrize("bits", [(), (4,), (8, 8), (8, 3), (8, 0)])
def test_config_refuses_other_widths(bits: tuple[int, ...]) -> None:
    with pytest.raises(DimmerError, match="bits must hold 8"):
        replace(CONFIG, bits=bits)
