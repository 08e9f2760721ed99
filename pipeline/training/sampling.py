# SPDX-License-Identifier: Apache-2.0
"""Which mode learns in a step."""

from __future__ import annotations

import numpy as np

from dimmer.pipeline.modes.mode import FULL_BITS, Mode, base_mode, super_mode
from dimmer.pipeline.modes.width import falling
from dimmer.pipeline.networks import Network
from dimmer.pipeline.recipe.sections.training import PolishSection, QatSection


def sample_modes(network: Network, settings: QatSection, rng: np.random.Generator) -> tuple[Mode, ...]:
    """The modes that learn from the super-net in this step.

    One is, with probability ``settings.uniform``, super-net or base-net with all blocks at one narrow width, else any
    depth pattern with a width of its own for each block. Of two, the first is of the one sort and the second of the
    other.
    """
    if settings.sampled == 2:
        return (_uniform_mode(network, rng), _mixed_mode(network, rng))
    return (_uniform_mode(network, rng) if rng.random() < settings.uniform else _mixed_mode(network, rng),)


def polished_mode(network: Network, settings: PolishSection, rng: np.random.Generator) -> Mode:
    """The mode that learns in a step of [polish]."""
    config = network.config
    if settings.mixed and rng.random() < settings.mixed:
        return _mixed_mode(network, rng)
    lowest = max(config.bits, key=falling)
    others = [bits for bits in config.bits if bits != lowest]
    if not others or rng.random() < settings.lowest:
        bits, whole = lowest, rng.random() < 2 / 3
    else:
        bits, whole = int(rng.choice(others)), rng.random() < 0.5
    return (super_mode if whole else base_mode)(config.mandatory, config.skippable, bits)


def _uniform_mode(network: Network, rng: np.random.Generator) -> Mode:
    config = network.config
    bits = int(rng.choice([b for b in config.bits if b != FULL_BITS]))
    make = super_mode if rng.random() < 0.5 else base_mode
    return make(config.mandatory, config.skippable, bits)


def _mixed_mode(network: Network, rng: np.random.Generator) -> Mode:
    patterns = network.depth_patterns()
    pattern = patterns[int(rng.integers(len(patterns)))]
    bits = network.config.bits
    return Mode(tuple(tuple(block and int(rng.choice(bits)) for block in stage) for stage in pattern.blocks))
