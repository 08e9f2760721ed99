# SPDX-License-Identifier: Apache-2.0
"""A mode as it is deployed, of a family that ships and of one that does not: its function, its sites, its groups."""

from __future__ import annotations

import pytest
import torch

from dimmer.pipeline.artifacts.trained import load_network
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.deploy import deploy, range_group
from tests.pipeline.networks.narrow_resnet import narrow_resnet
from tests.pipeline.networks.toy_family import images, small
from tests.tiny import TinyBuild


@pytest.mark.parametrize("name", ["88.888", "44.440", "20.480"])
def test_the_deployed_toy_computes_what_was_trained(name: str) -> None:
    network, mode = small(), Mode.parse(name)
    with torch.no_grad():
        # Weights of 8 bits are rounded to their grid, so equal to about one part in 127.
        expected, got = network(images(), mode), deploy(network, mode)(images())
    assert float((got - expected).abs().max()) < 0.05 * float(expected.abs().max())


def test_the_toys_sites_groups_and_narrow_tensors() -> None:
    deployed = deploy(small(), Mode.parse("84.880"))
    seen: list[str] = []

    def record(site: str, x: torch.Tensor) -> torch.Tensor:
        seen.append(site)
        return x

    deployed(images(), record)
    inner = ["depthwise", "project", "out"]
    assert seen == [
        "input",
        "stem",
        *(f"0.{b}.{tensor}" for b in (0, 1) for tensor in inner),
        "1.0.depthwise",
        "1.0.out",
        *(f"1.1.{tensor}" for tensor in inner),
        "pool",
        "logits",
    ]
    assert set(deployed.narrow_tensors()) == {"0.1.depthwise"}
    assert {site: w.reads for site, w in deployed.narrow_weights().items()} == {"0.1.project": "0.1.depthwise"}
    groups = [range_group(deployed, site) for site in ("stem", "0.1.project", "1.0.depthwise", "1.0.out")]
    assert groups == ["stem", "0.1.project@shared/4", "1.0.depthwise@skipped", "stream.1"]


@pytest.mark.xdist_group("tiny")
def test_folding_leaves_the_function_alone(tiny: TinyBuild) -> None:
    network = load_network(tiny.recipe)
    x = torch.randn(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    for name in ("88.88", "80.80"):
        mode = Mode.parse(name)
        with torch.no_grad():
            # Weights are rounded to their int8 grid, so equal to about one part in 127, not to the last bit.
            assert torch.allclose(deploy(network, mode)(x), network(x, mode), atol=0.3)


@pytest.mark.xdist_group("tiny")
def test_groups_follow_norm_variants(tiny: TinyBuild) -> None:
    network = load_network(tiny.recipe)
    executed, skipped = deploy(network, Mode.parse("88.88")), deploy(network, Mode.parse("80.80"))
    assert range_group(executed, "0.0.conv1") == "0.0.conv1@executed"
    assert range_group(skipped, "0.0.conv1") == "0.0.conv1@skipped"
    assert range_group(executed, "0.1.out") == range_group(skipped, "0.0.out") == "stream.0"


@pytest.mark.parametrize("name", ["88.88", "44.44", "22.22", "84.20", "28.40"])
def test_the_deployed_resnet_computes_what_was_trained(name: str) -> None:
    network, x = narrow_resnet(), torch.randn(2, 1, 8, 8)
    mode = Mode.parse(name)
    with torch.no_grad():
        trained, deployed = network(x, mode), deploy(network, mode)(x)
    # At 8 bits the trained weight is float, the deployed one on its grid; a rounding may tip over at a narrow entry.
    assert float((trained - deployed).abs().median()) < 0.02


def test_widths_share_ranges_only_with_themselves() -> None:
    network = narrow_resnet()
    wide, narrow = (deploy(network, Mode.parse(name)) for name in ("88.88", "84.88"))
    assert range_group(wide, "0.1.conv1") != range_group(narrow, "0.1.conv1")
    assert range_group(wide, "0.0.conv1") == range_group(narrow, "0.0.conv1")
    assert range_group(wide, "0.1.out") == range_group(narrow, "0.1.out") == "stream.0"
