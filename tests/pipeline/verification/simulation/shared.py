# SPDX-License-Identifier: Apache-2.0
"""Small scenarios that several tests use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dimmer.pipeline.verification.simulation.scenarios import Kind, Panel, Scenario, Spread, scenarios_of
from dimmer.pipeline.verification.simulation.setting import load_setting

SETTING = load_setting()
CERTAIN = Spread(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""Nothing is uncertain."""


def deadline(days: float = 5, capacity_mah: float = 15, spread: Spread = CERTAIN) -> Scenario:
    """A small coin cell that is to last for some days."""
    return Scenario("small", Kind.DEADLINE, "nrf52840", "cr2032", capacity_mah, days, report_s=3600, spread=spread)


def sunny(folder: Path, days: int = 20) -> Scenario:
    """A panel under a sky that is written to a file."""
    file = folder / "sky.csv"
    file.write_text("watts_m2\n" + "".join(f"{max(0, 600 - 100 * abs(h - 12))}\n" for h in range(24)))
    solar = scenarios_of(["solar 0.25 cm2 20 J"], SETTING)[0]
    return replace(solar, days=days, panel=Panel(0.25, place=str(file)))
