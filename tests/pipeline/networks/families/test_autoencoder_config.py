# SPDX-License-Identifier: Apache-2.0
"""Shape and cost of the dense autoencoder."""

from __future__ import annotations

import pytest

from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.networks.families.autoencoder_config import AutoencoderConfig

SMALL = AutoencoderConfig((1, 1, 1), (1, 0, 1), (12, 4, 12), 3, (1, 8), 24)


def test_cost_is_that_of_its_dense_layers() -> None:
    cost = SMALL.cost()
    assert cost.fixed == 24 * 12 + 12 * 24
    assert cost.blocks == ((288, 288), (12 * 4 + 16,), (4 * 12 + 144, 288))
    assert [(entry.channels, entry.pixels) for entry in SMALL.entries()] == [(12, 1), (12, 1), (4, 1)]


def test_narrow_widths_are_refused() -> None:
    with pytest.raises(InvalidKeyError, match="dense blocks have no narrow widths"):
        AutoencoderConfig((1,), (1,), (4,), 1, (1, 4), 4, (8, 4))
