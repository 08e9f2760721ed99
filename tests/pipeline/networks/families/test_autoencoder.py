# SPDX-License-Identifier: Apache-2.0
"""The dense autoencoder: shapes, modes, and the network as it is deployed."""

from __future__ import annotations

import pytest
import torch

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.networks.families.autoencoder import Autoencoder
from tests.pipeline.networks.families.test_autoencoder_config import SMALL


@pytest.mark.parametrize("mode", ["88.8.88", "80.8.80"])
def test_the_deployed_network_gives_as_much_back(mode: str) -> None:
    torch.manual_seed(0)
    network = Autoencoder(SMALL).eval()
    x = torch.randn(5, 3, 1, 8, generator=torch.Generator().manual_seed(1))
    chosen, seen = Mode.parse(mode), list[str]()

    def record(site: str, value: torch.Tensor) -> torch.Tensor:
        seen.append(site)
        return value

    deployed = deploy(network, chosen)
    with torch.no_grad():
        wanted, got = network(x, chosen), deployed(x, record)
    assert got.shape == (5, 24)
    assert float((got - wanted).abs().max()) < 0.1 * float(wanted.abs().max())
    # The bottleneck has another width than what enters it: nothing is added there.
    assert "1.0.outer" not in seen
    assert {"0.0.inner", "0.0.outer", "0.0.out", "1.0.inner", "1.0.out"} <= set(seen)
