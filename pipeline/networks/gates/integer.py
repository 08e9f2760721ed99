# SPDX-License-Identifier: Apache-2.0
"""Trained gates as integers: the same numbers that training rounded to, for `firmware_gen` and for its reference."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dimmer.errors import DimmerError
from dimmer.firmware_gen.gates import BlockGate, Codes, GateSet, Linear, choose
from dimmer.pipeline.modes.mode import base_mode, super_mode
from dimmer.pipeline.modes.width import BITS
from dimmer.pipeline.networks.family import NetworkConfig
from dimmer.pipeline.networks.gates.budget import GatePlace
from dimmer.pipeline.networks.gates.network import (
    FEATURE_FRACTION,
    HIDDEN_FRACTION,
    MAX_CODE,
    POOL_FRACTION,
    GateLinear,
    Gates,
    weight_fraction,
)


def _codes(weight: Tensor, fraction: int) -> tuple[tuple[int, ...], ...]:
    codes = torch.floor(weight.detach().double() * 2.0**fraction + 0.5).clamp(-MAX_CODE, MAX_CODE)
    return tuple(tuple(int(code) for code in row) for row in codes)


def _bias(bias: Tensor, fraction: int) -> tuple[int, ...]:
    return tuple(int(code) for code in torch.floor(bias.detach().double() * 2.0**fraction + 0.5))


def _linear(layer: GateLinear, output_fraction: int | None) -> Linear:
    """A layer whose sum is shifted to steps of 2^-output_fraction, or left as it is."""
    fraction = weight_fraction(layer.weight)
    steps = fraction + layer.input_fraction
    shift = 0 if output_fraction is None else steps - output_fraction
    return Linear(_codes(layer.weight, fraction), _bias(layer.bias, steps), shift)


def integer_gates(gates: Gates, config: NetworkConfig) -> GateSet:
    """The gates as the device computes them.

    Raises:
        DimmerError: an option is wider than 8 bits, for which there is no firmware.
    """
    if not set(gates.config.options) <= set(BITS):
        known = ", ".join(map(str, BITS[:-1]))
        raise DimmerError(f"gates with options over 8 bits are for accounts of cost alone; firmware has {known} and 0")
    fraction = gates.cell_fraction()
    features = Linear(
        _codes(gates.cell_in.weight, fraction), _bias(gates.cell_in.bias, fraction + HIDDEN_FRACTION), fraction
    )
    state = Linear(_codes(gates.cell_state.weight, fraction))
    stages, number = [], 0
    for places in gates.places:
        blocks = []
        for place in places:
            entry, head = gates.entries[number], gates.heads[number]
            assert isinstance(entry, GateLinear)
            assert isinstance(head, GateLinear)
            made = BlockGate(
                _linear(entry, FEATURE_FRACTION),
                _linear(head, None),
                place.options,
                place.skippable,
                tuple(_source(config, place, bits, skipped=False) for bits in place.options),
                tuple(_source(config, place, bits, skipped=True) for bits in place.options),
            )
            blocks.append(made)
            number += 1
        stages.append(tuple(blocks))
    found = GateSet(tuple(stages), features, state)
    found.check()
    return found


def _source(config: NetworkConfig, place: GatePlace, bits: int, skipped: bool) -> str:
    """The mode that has this block with these bits and this state of the stage's sub-path."""
    if not bits:
        return str(base_mode(config.mandatory, config.skippable))
    # Skippable blocks have one set of norms, and base-nets do not have the blocks.
    make = base_mode if skipped and not place.skippable else super_mode
    return str(make(config.mandatory, config.skippable, bits))


def choose_stage(gates: GateSet, stage: int, entry: Tensor, level: int, state: Codes | None) -> tuple[Codes, Codes]:
    """The integer gates' choice on a float stream float[N,C,H,W], pooled in float and rounded as in training."""
    pooled = torch.floor(entry.double().mean((2, 3)) * 2.0**POOL_FRACTION + 0.5).long().numpy()
    if state is None:
        state = np.zeros((len(pooled), gates.state.shape[0]), dtype=np.int64)
    return choose(gates, stage, pooled, np.full(len(pooled), level, dtype=np.int64), state)
