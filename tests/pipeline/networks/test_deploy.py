"""Deployment of a family that does not ship: its function, its sites, its groups."""

from __future__ import annotations

import pytest
import torch

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.deploy import deploy, range_group
from tests.pipeline.networks.toy_family import images, small


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
