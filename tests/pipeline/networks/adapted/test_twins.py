# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch
from torch import nn

from dimmer.pipeline.networks.adapted.twins import TwinNorm, give_twins, set_state


def test_a_twin_begins_as_a_copy_and_is_chosen_by_the_state() -> None:
    block = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4))
    give_twins(block)
    give_twins(block)
    twin = block[1]
    assert isinstance(twin, TwinNorm)
    assert isinstance(twin.executed, nn.LayerNorm)
    with torch.no_grad():
        twin.skipped.bias.fill_(1.0)
    x = torch.randn(2, 4)
    executed = block(x)
    set_state(block, True)
    assert torch.allclose(block(x), executed + 1)
    assert twin.bias is twin.skipped.bias
    assert twin.eps == twin.skipped.eps
