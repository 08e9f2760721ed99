# SPDX-License-Identifier: Apache-2.0
"""One mode with its norms folded: its sites, its narrow tensors, and the forms of it that are exported."""

from __future__ import annotations

import torch

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.networks.deployed import ConvStem, DeployedNetwork, PooledHead
from dimmer.pipeline.networks.layers.quantisers import activation_step
from tests.pipeline.networks.narrow_resnet import narrow_resnet


def sites_of(network: DeployedNetwork) -> list[str]:
    seen: list[str] = []

    def tap(site: str, x: torch.Tensor) -> torch.Tensor:
        seen.append(site)
        return x

    with torch.no_grad():
        network(torch.randn(2, 1, 8, 8), tap)
    return seen


def test_narrow_tensors_lie_on_their_grid_and_weights_on_their_slice() -> None:
    deployed = deploy(narrow_resnet(), Mode.parse("84.20"))
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


def test_what_a_tap_gives_back_is_what_runs_on() -> None:
    deployed, x = deploy(narrow_resnet(), Mode.parse("88.88")), torch.randn(2, 1, 8, 8)
    assert isinstance(deployed.head, PooledHead)
    with torch.no_grad():
        zeroed = deployed(x, lambda site, value: 0 * value if site == "pool" else value)
    assert torch.equal(zeroed, deployed.head.fc.bias.expand(2, -1))


def test_the_exported_form_has_no_rounding_and_no_entry_sites() -> None:
    deployed, x = deploy(narrow_resnet(), Mode.parse("84.20")), torch.randn(2, 1, 8, 8)
    plain = deployed.unrounded()
    assert {site for site in sites_of(deployed) if site not in sites_of(plain)} == {"0.1.in", "1.0.in"}
    with torch.no_grad():
        assert not torch.equal(plain(x), deployed(x))
        assert torch.equal(plain.untapped()(x), plain(x))


def test_a_mode_of_full_width_has_nothing_narrow() -> None:
    deployed = deploy(narrow_resnet(), Mode.parse("88.80"))
    assert not deployed.narrow_weights()
    assert not deployed.narrow_tensors()


def test_stem_and_head_name_their_sites() -> None:
    seen: dict[str, tuple[int, ...]] = {}

    def tap(site: str, x: torch.Tensor) -> torch.Tensor:
        seen[site] = tuple(x.shape)
        return x

    stream = ConvStem(torch.nn.Conv2d(1, 3, 3, padding=1))(torch.randn(2, 1, 4, 5), tap).detach()
    assert 0 <= float(stream.min()) <= float(stream.max()) <= 6
    PooledHead(torch.nn.Linear(3, 7))(stream, tap)
    assert seen == {"stem": (2, 3, 4, 5), "pool": (2, 3), "logits": (2, 7)}
