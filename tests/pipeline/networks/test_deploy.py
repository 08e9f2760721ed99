"""A mode as it is deployed."""

import pytest
import torch

from dimmer.pipeline.artifacts.checkpoint import load_network
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.deploy import deploy, range_group
from tests.tiny import TinyBuild

pytestmark = pytest.mark.xdist_group("tiny")


def test_folding_leaves_the_function_alone(tiny: TinyBuild) -> None:
    network = load_network(tiny.recipe)
    x = torch.randn(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    for name in ("88.88", "80.80"):
        mode = Mode.parse(name)
        with torch.no_grad():
            # Weights are rounded to their int8 grid, so equal to about one part in 127, not to the last bit.
            assert torch.allclose(deploy(network, mode)(x), network(x, mode), atol=0.3)


def test_groups_follow_norm_variants(tiny: TinyBuild) -> None:
    network = load_network(tiny.recipe)
    executed, skipped = deploy(network, Mode.parse("88.88")), deploy(network, Mode.parse("80.80"))
    assert range_group(executed, "0.0.conv1") == "0.0.conv1@executed"
    assert range_group(skipped, "0.0.conv1") == "0.0.conv1@skipped"
    assert range_group(executed, "0.1.out") == range_group(skipped, "0.0.out") == "stream.0"
