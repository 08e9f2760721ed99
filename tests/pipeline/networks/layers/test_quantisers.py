# SPDX-License-Identifier: Apache-2.0
"""Nested quantisers: the training's grids are those of the int8 blob's slices."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dimmer.calibration.weights import slice_codes, to_grid
from dimmer.pipeline.networks.layers.quantisers import activation_step, quantise_activation, quantise_weight

LARGEST = {8: 127, 4: 7, 2: 1}


@pytest.mark.parametrize("bits", [4, 2])
def test_slices_round_half_up_and_stay_symmetric(bits: int) -> None:
    codes = torch.arange(-127, 128, dtype=torch.int8).reshape(1, -1)
    narrow, step = slice_codes(codes, bits)
    whole = 2 ** (8 - bits)
    exact = np.clip(np.floor(codes.numpy().astype(float) / whole + 0.5), -LARGEST[bits], LARGEST[bits])
    assert np.array_equal(narrow.numpy() * step, exact * whole)
    assert int(narrow.max()) == 7  # INT4 in full, so that the steps of biases are small


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_the_weight_trained_with_is_the_slice_deployed(bits: int) -> None:
    torch.manual_seed(0)
    weight = torch.randn(5, 3, 3, 3)
    codes, scale = to_grid(weight)
    narrow, step = slice_codes(codes, bits)
    expected = narrow.double() * (scale * step).reshape(-1, 1, 1, 1)
    assert torch.allclose(quantise_weight(weight, bits).double(), expected, atol=1e-6)
    assert int(narrow.abs().amax()) == (127 if bits == 8 else 7)


@pytest.mark.parametrize("bits", [4, 2])
def test_activations_have_two_to_the_bits_levels_from_zero_to_six(bits: int) -> None:
    x = torch.linspace(0, 6, 1001)
    levels = torch.unique((quantise_activation(x, bits) / activation_step(bits)).round())
    assert levels.tolist() == list(range(2**bits))


@pytest.mark.parametrize(("bits", "weights", "activations"), [(48, 4, 8), (28, 2, 8), (24, 2, 4)])
def test_a_pair_has_the_grids_of_its_two_widths(bits: int, weights: int, activations: int) -> None:
    torch.manual_seed(1)
    weight, x = torch.randn(3, 2, 3, 3), 6 * torch.rand(50)
    assert torch.equal(quantise_weight(weight, bits), quantise_weight(weight, weights))
    assert torch.equal(quantise_activation(x, bits), quantise_activation(x, activations))


def test_gradients_pass_straight_through() -> None:
    weight = torch.randn(4, 2, 1, 1, requires_grad=True)
    x = torch.rand(3, 4, requires_grad=True)
    (quantise_weight(weight, 2).sum() + quantise_activation(x, 2).sum()).backward()
    assert torch.equal(weight.grad, torch.ones_like(weight))  # type: ignore[arg-type]
    assert torch.equal(x.grad, torch.ones_like(x))  # type: ignore[arg-type]
