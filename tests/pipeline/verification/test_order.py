# SPDX-License-Identifier: Apache-2.0
"""What of a recipe decides a verification."""

import pytest

from dimmer.pipeline.verification.order import order_of
from tests.tiny import TinyBuild

pytestmark = pytest.mark.xdist_group("tiny")


def test_a_model_without_gates_has_none(tiny: TinyBuild) -> None:
    order = order_of(tiny.recipe)
    assert (order.dataset, order.images, order.gates) == ("mnist5k", 4, None)
    assert order.network.config.widths == (4, 8)
