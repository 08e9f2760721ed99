# SPDX-License-Identifier: Apache-2.0
"""What transformers' configurations have in common."""

import pytest

from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.networks.transformer_config import BlockShape, check_heads


def test_a_block_has_four_layers_two_products_and_an_mlp() -> None:
    shape = BlockShape(8, 2, 24)
    assert shape.scale == 0.5
    assert shape.macs(10, 5) == 10 * (4 * 64 + 2 * 5 * 8 + 2 * 8 * 24)
    assert shape.macs(10, 5) - shape.wide_macs(10, 5) == 10 * 8 * 24


def test_heads_divide_the_width() -> None:
    check_heads(8, 4, "heads")
    with pytest.raises(InvalidKeyError, match="heads must divide the stage's width, 8"):
        check_heads(8, 3, "heads")
