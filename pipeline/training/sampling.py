# SPDX-License-Identifier: Apache-2.0
"""Which mode learns in a step."""

from __future__ import annotations

import numpy as np

from dimmer.pipeline.modes.mode import FULL_BITS, Mode, base_mode, super_mode
from dimmer.pipeline.modes.width import falling
from dimmer.pipeline.networks import Network
from dimmer.pipeline.recipe.sections.training import PolishSection, QatSection


def sample_mode(network: Network, settings: QatSection, rng: np.random.Generator) -> Mode:
    """A mode to learn from the super-net in this step.

    With probability ``settings.uniform`` super-net or base-net with all blocks at one narrow width, else any depth
    pattern with a width of its own for each block.
    """
    config = network.config
    if rng.random() < settings.uniform:
        bits = int(rng.choice([b for b in config.bits if b != FULL_BITS]))
        make = super_mode if rng.random() < 0.5 else base_mode
        return make(config.mandatory, config.skippable, bits)
    patterns = network.depth_patterns()
    pattern = patterns[int(rng.integers(len(patterns)))]
    return Mode(tuple(tuple(bits and int(rng.choice(config.bits)) for bits in stage) for stage in pattern.blocks))


def polished_mode(network: Network, settings: PolishSection, rng: np.random.Generator) -> Mode:
    """The mode that learns in a step of [polish]."""
    config = network.config
    lowest = max(config.bits, key=falling)
    others = [bits for bits in config.bits if bits != lowest]
    if not others or rng.random() < settings.lowest:
        bits, whole = lowest, rng.random() < 2 / 3
    else:
        bits, whole = int(rng.choice(others)), rng.random() < 0.5
    return (super_mode if whole else base_mode)(config.mandatory, config.skippable, bits)
