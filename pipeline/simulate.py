# SPDX-License-Identifier: Apache-2.0
"""Simulation: a battery empties under the policy, the very C that the firmware runs.

python -m pipeline.simulate --model mnist5k-r14 --target mps2-an386 --capacity 220
"""

from __future__ import annotations

from typing import Annotated

import typer

from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.core.command import console, main_of, model_option, target_option
from dimmer.pipeline.energy.device import Device
from dimmer.pipeline.energy.discharge import life, policy_of_report
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.targets import load_target


def main(
    target: Annotated[str, target_option] = "mps2-an386",
    model: Annotated[str, model_option] = "mnist5k-r14",
    capacity: Annotated[float, typer.Option("--capacity", min=0.001, help="Of the full cell, mAh.")] = 220.0,
    millivolts: Annotated[int, typer.Option("--millivolts", min=1, max=65535, help="Of the cell.")] = 3000,
    period: Annotated[float, typer.Option("--period", min=0.001, help="Seconds between two inferences.")] = 1.0,
    idle: Annotated[float, typer.Option("--idle", min=0.0, help="Microwatts drawn all the time.")] = 10.0,
) -> None:
    """Empty a battery under the policy of a build; energies are modelled, as its report.json says."""
    from rich.table import Table

    recipe, chosen = load_recipe(model), load_target(target)
    device = Device(capacity, millivolts, period, idle)
    policy, energies = policy_of_report(build_folder(recipe) / chosen.name / "report.json", millivolts)
    table = Table(title=f"{recipe.name} on {chosen.name}: {device}", title_justify="left", title_style="bold")
    table.add_column("mode", no_wrap=True)
    table.add_column("energy, modelled", justify="right")
    table.add_column("life, hours", justify="right")
    for mode, energy in energies.items():
        table.add_row(mode, f"{energy:,.1f} uJ", f"{device.life_s(energy) / 3600:,.0f}")
    table.add_row("policy", "", f"{life(policy, energies, device) / 3600:,.0f}", style="bold")
    console().print(table)


if __name__ == "__main__":
    main_of(main)
