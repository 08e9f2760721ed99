# SPDX-License-Identifier: Apache-2.0
"""Three modes of a small network with random weights, to make firmwares of."""

from pathlib import Path

from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from tests.firmware_gen.modes import write_modes


def modes_order(folder: Path, samples: int = 0) -> Order:
    """Their files lie in `folder` then."""
    modes = write_modes(folder)
    return Order("modes", modes, even_policy(len(modes)), sample_inputs(modes[0].path, 1)[300:], samples)
