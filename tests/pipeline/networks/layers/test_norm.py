# SPDX-License-Identifier: Apache-2.0
"""Skip-aware norms and norms for each width: which set is in force."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dimmer.pipeline.networks.layers.limits import MIN_GAMMA
from dimmer.pipeline.networks.layers.norm import BitNorm, SkipAwareNorm, clamp_gammas, share_norms
from tests.pipeline.networks.narrow_resnet import narrow_resnet


@pytest.mark.parametrize("skipped", [False, True])
def test_a_twin_normalises_with_the_set_of_its_state(skipped: bool) -> None:
    norm, x = SkipAwareNorm(3).eval(), torch.randn(2, 3, 4, 4)
    nn.init.constant_(norm.skipped.bias, 5.0)
    torch.testing.assert_close(norm(x, skipped), x + 5 * skipped, rtol=1e-4, atol=1e-4)


def test_the_other_twin_learns_nothing() -> None:
    norm = SkipAwareNorm(3).train()
    norm(torch.randn(2, 3, 4, 4) + 1, skipped=True)
    assert norm.executed.running_mean is not None
    assert norm.skipped.running_mean is not None
    assert not norm.executed.running_mean.any()
    assert norm.skipped.running_mean.all()


def test_each_width_has_a_norm_of_its_own() -> None:
    wide, narrow = nn.BatchNorm2d(3), SkipAwareNorm(3)
    norm = BitNorm({8: wide, 4: narrow})
    assert norm.at(8) is wide
    assert norm.at(4) is narrow


def test_gammas_are_kept_positive() -> None:
    net = narrow_resnet()
    norm = net.stem.norm
    with torch.no_grad():
        norm.weight[:2] = torch.tensor([-1.0, 0.01])
    rest = norm.weight[2:].tolist()
    clamp_gammas(net)
    assert norm.weight[:2].tolist() == pytest.approx([MIN_GAMMA, MIN_GAMMA])
    assert norm.weight[2:].tolist() == rest


def test_shared_norms_are_plain_at_every_width() -> None:
    net = narrow_resnet()
    share_norms(net)
    assert not any(isinstance(module, SkipAwareNorm) for module in net.modules())
    norms = [module for module in net.modules() if isinstance(module, BitNorm)]
    assert norms
    assert all(isinstance(norm.at(bits), nn.BatchNorm2d) for norm in norms for bits in (8, 4, 2))
