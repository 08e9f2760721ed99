# SPDX-License-Identifier: Apache-2.0
"""Integer gates against the trained ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.networks.gates.agreement import compare
from dimmer.pipeline.networks.gates.budget import GateConfig
from dimmer.pipeline.networks.gates.integer import choose_stage, integer_gates
from dimmer.pipeline.networks.gates.network import GateLinear, Gates

R14 = ResNetConfig((1, 1, 1), (1, 1, 1), (16, 32, 64), 3, (32, 32), 10, (8, 4, 2))


@pytest.fixture
def gates() -> Gates:
    torch.manual_seed(4)
    made = Gates(R14, GateConfig())
    for head in made.heads:
        assert isinstance(head, GateLinear)
        torch.nn.init.normal_(head.weight, 0, 2.0)
        torch.nn.init.normal_(head.bias, 0, 0.3)
    return made.eval()


def entry(stage: int, count: int) -> torch.Tensor:
    """A stream whose channels differ in their means."""
    channels, size = (16, 16, 32)[stage], (32, 32, 16)[stage]
    means = 3 * torch.rand(count, channels, 1, 1)
    return (means * torch.rand(count, channels, size, size)).clamp(0, 6)


def bits(choices: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(choices, 1)


@torch.no_grad()
def run_torch(gates: Gates, streams: list[torch.Tensor], level: int) -> np.ndarray:
    state, columns = gates.start(len(streams[0])), []
    for stage, stream in enumerate(streams):
        choices, state = gates(stage, stream, torch.full((len(stream),), float(level)), state)
        columns += [choice.picked.numpy()[:, None] for choice in choices]
    return bits(columns)


@pytest.mark.parametrize("level", [0, 100, 255])
def test_integer_gates_choose_as_trained_ones(gates: Gates, level: int) -> None:
    streams = [entry(stage, 200) for stage in range(3)]
    whole, state = integer_gates(gates, R14), None
    columns = []
    for stage, stream in enumerate(streams):
        chosen, state = choose_stage(whole, stage, stream, level, state)
        columns.append(chosen)
    trained = run_torch(gates, streams, level)
    assert compare(bits(columns), trained).inputs == 1.0
    assert len(np.unique(trained, axis=0)) > 5
    gates.set_rounded(False)
    assert compare(bits(columns), run_torch(gates, streams, level)).blocks > 0.9


def test_gates_choose_blocks_of_the_uniform_modes(gates: Gates) -> None:
    whole = integer_gates(gates, R14)
    mandatory, skippable = whole.stages[1]
    assert mandatory.executed == ("88.88.88", "44.44.44", "22.22.22")
    assert mandatory.skipped == ("80.80.80", "40.40.40", "20.20.20")
    assert skippable.executed == skippable.skipped == ("88.88.88", "44.44.44", "22.22.22", "80.80.80")


def test_options_over_eight_bits_have_no_firmware() -> None:
    with pytest.raises(DimmerError, match="accounts of cost alone"):
        integer_gates(Gates(R14, GateConfig((32, 16, 8, 0))), R14)


def test_options_that_no_firmware_has_are_refused_with_those_it_has() -> None:
    with pytest.raises(DimmerError, match="firmware has 8, 48, 28, 4, 24, 2 and 0"):
        integer_gates(Gates(R14, GateConfig((32, 8, 0))), R14)
