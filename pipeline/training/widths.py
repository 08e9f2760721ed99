# SPDX-License-Identifier: Apache-2.0
"""Norms of a network's widths: where those of the narrow ones start, and which statistics all of them end with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import partial

import torch
from torch import Tensor

from dimmer.calibration.batchnorm import NormStatistics, load_statistics, recalibrated, statistics
from dimmer.pipeline.data.dataset import Split
from dimmer.pipeline.modes.mode import FULL_BITS, Mode, base_mode, super_mode
from dimmer.pipeline.networks import Network, NetworkConfig
from dimmer.pipeline.networks.layers.norm import BitNorm
from dimmer.pipeline.networks.measure import accuracy
from dimmer.pipeline.training.trainer import Trainer


def uniform_modes(config: NetworkConfig) -> dict[str, Mode]:
    """Super-net and base-net with all blocks at one width, for each width: "super", "super-4", ..., "base", ..."""
    return {
        name if bits == FULL_BITS else f"{name}-{bits}": make(config.mandatory, config.skippable, bits)
        for name, make in (("super", super_mode), ("base", base_mode))
        for bits in config.bits
    }


def narrow_modes(config: NetworkConfig) -> tuple[Mode, ...]:
    """Super-net and base-net with all blocks at each narrow width."""
    narrow = [bits for bits in config.bits if bits != FULL_BITS]
    return tuple(make(config.mandatory, config.skippable, b) for b in narrow for make in (super_mode, base_mode))


def widen(network: Network) -> None:
    """Give the narrow widths the norms that were trained at 8 bits: where their training starts."""
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, BitNorm):
                trained = module.at(FULL_BITS).state_dict()
                for bits in network.config.bits:
                    module.at(bits).load_state_dict(trained)


def settle_norms(trainer: Trainer, batches: Iterable[Tensor], validation: Split) -> dict[str, tuple[float, float]]:
    """Measures the norms' statistics anew, in super-net and base-net at each width.

    In training a norm also sees the inputs that modes of mixed widths give it, and its running mean is of all of them.
    A mode's own statistics are kept where it is no worse on validation images. Norms that several of these modes share
    stay as they are.

    Args:
        trainer: whose network changes.
        batches: training images float32[N,C,H,W], of equal N; gone through once for each mode.
        validation: images that decide.

    Returns:
        Mode -> percent of the validation images before and after.
    """
    network, device = trainer.network, trainer.device
    measured = _measured(trainer, batches)
    users = Counter(name for found in measured.values() for name in found)
    outcome = {}
    for mode, found in measured.items():
        before = statistics(network)
        was = accuracy(network, validation, mode, device)
        load_statistics(network, {name: pair for name, pair in found.items() if users[name] == 1})
        now = accuracy(network, validation, mode, device)
        if now < was:
            load_statistics(network, before)
        outcome[str(mode)] = (was, max(was, now))
    return outcome


def _measured(trainer: Trainer, batches: Iterable[Tensor]) -> dict[Mode, NormStatistics]:
    """The norms' statistics in super-net and base-net at each width."""
    network, config = trainer.network, trainer.network.config
    modes = [make(config.mandatory, config.skippable, b) for b in config.bits for make in (super_mode, base_mode)]
    return {
        mode: recalibrated(network, partial(network, mode=mode), map(trainer.here, batches))
        for mode in dict.fromkeys(modes)
    }
