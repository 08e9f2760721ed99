# SPDX-License-Identifier: Apache-2.0
"""`max_ms` in a recipe ended every build: the firmware of this machine, by which each build verifies the C beside the
target's, has no energy and so no time.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.policy import Tier
from dimmer.pipeline.artifacts.firmware import Firmware
from dimmer.pipeline.image import published
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.recipe.sections.policy import PolicySection
from dimmer.targets import load_target
from tests.pipeline.artifact_examples import firmware
from tests.pipeline.image.orders import modes_order
from tests.pipeline.image.test_published import calibrated
from tests.tiny import silent


@pytest.mark.parametrize("asked", [{"max_ms": 10.0}, {"recharge": "uniform", "recharge_hours": 9.0}])
def test_the_host_s_firmware_is_made(
    asked: dict[str, float | str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders: list[Order] = []

    def make(order: Order, *_: object) -> Firmware:
        orders.append(order)
        return firmware()

    monkeypatch.setattr(published, "make", make)
    section = PolicySection(tiers=(500,), **asked)  # type: ignore[arg-type]
    host = load_target("host")
    published.make_published(modes_order(tmp_path), calibrated(), section, host, tmp_path / "out", silent)
    assert orders[0].policy.tiers == (Tier(500, 0, 0), Tier(0, 0, 2))
