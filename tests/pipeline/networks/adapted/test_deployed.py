# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import nn

from dimmer.errors import DimmerError
from dimmer.pipeline.networks.adapted.cut import trace
from dimmer.pipeline.networks.adapted.deployed import DeployedPart, deployed_part
from dimmer.pipeline.networks.folding import Folding


def part(module: nn.Module, name: str = "stem", last: str = "stem") -> DeployedPart:
    norms = {id(m): n for n, m in module.named_modules()}
    return deployed_part([(module.eval(), trace(module, (), "it"))], Folding(name, "input", False, 8, norms, {}), last)


def test_operators_are_fused_as_a_device_runs_them() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, 2, 1, bias=False),
        nn.BatchNorm2d(4),
        nn.Identity(),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
        nn.Conv2d(4, 2, 1),
    )
    found = part(module)
    assert [step.site for step in found.steps] == ["stem__0", "stem__4", "stem"]
    seen: list[str] = []

    def tap(site: str, x: torch.Tensor) -> torch.Tensor:
        seen.append(site)
        return x

    x = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        made, expected = found(x, tap), module(x)
    assert seen == ["stem__0", "stem__4", "stem"]
    assert float((made - expected).abs().max()) < 0.02 * float(expected.abs().max())


def test_sites_of_a_block_begin_with_its_name() -> None:
    found = part(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU6()), "0.1", "0.1.out")
    assert [step.site for step in found.steps] == ["0.1.out"]


def test_a_module_called_as_an_end_of_its_part_has_a_site_of_its_own() -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.out, self.last = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 3, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            made: torch.Tensor = self.last(torch.relu(self.out(x)))
            return made

    assert [step.site for step in part(Named(), "0.0", "0.0.out").steps] == ["0.0.out_", "0.0.out"]


@pytest.mark.parametrize(
    ("module", "what"),
    [
        (nn.SiLU(), "SiLU at '1' is not deployed"),
        (nn.MaxPool2d(3, 2, 1), "padded max pooling of values that may be negative"),
        (nn.BatchNorm2d(4, affine=True), None),
        (nn.LayerNorm(4), "LayerNorm"),
    ],
)
def test_what_a_device_does_not_run_is_told_with_its_place(module: nn.Module, what: str | None) -> None:
    whole = nn.Sequential(nn.Conv2d(3, 4, 1), module)
    if what is None:
        part(whole)
        return
    with pytest.raises(DimmerError, match=what):
        part(whole)


def test_a_part_without_an_operator_is_refused() -> None:
    with pytest.raises(DimmerError, match="does not end with an operator"):
        part(nn.Sequential(nn.Identity(), nn.Dropout()))
