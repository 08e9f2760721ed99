# SPDX-License-Identifier: Apache-2.0
"""Simulation: batteries empty under the very C that the firmware runs.

python -m pipeline.simulate --model mnist5k-r14 --target mps2-an386 --capacity 220
python -m pipeline.simulate --scenario all --devices 2000 --seeds 5
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from dimmer.pipeline.artifacts.context import build_folder, builds
from dimmer.pipeline.core.command import console, main_of, model_option, progress_bar, target_option
from dimmer.pipeline.energy.discharge import life, policy_of_report
from dimmer.pipeline.energy.hanging import device_of
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.recipe.sections.duty import duty_of
from dimmer.targets import load_target


def main(
    target: Annotated[str, target_option] = "mps2-an386",
    model: Annotated[str, model_option] = "mnist5k-r14",
    capacity: Annotated[
        float | None,
        typer.Option("--capacity", min=0.001, max=1e9, help="Of the full cell, mAh; the recipe's where left out."),
    ] = None,
    millivolts: Annotated[
        int | None, typer.Option("--millivolts", min=1, max=65535, help="Of the cell; the recipe's where left out.")
    ] = None,
    period: Annotated[
        float | None,
        typer.Option("--period", min=0.001, max=1e8, help="Seconds between two inferences; the recipe's."),
    ] = None,
    idle: Annotated[
        float | None,
        typer.Option("--idle", min=0.0, max=1e9, help="Microwatts drawn all the time; what the target sleeps with."),
    ] = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario",
            help="A fleet's: deadline, solar, recharge, endless, all, or one by its name; repeat for more.",
        ),
    ] = None,
    devices: Annotated[int, typer.Option("--devices", min=1, help="Of a fleet, for each seed.")] = 2000,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=100, help="Of a fleet.")] = 5,
    setting: Annotated[Path | None, typer.Option("--setting", help="TOML with boards and modes of a fleet.")] = None,
    scheduler: Annotated[
        str, typer.Option("--scheduler", help="Dask's address; embedded: on this machine; none: one process.")
    ] = "embedded",
    out: Annotated[Path | None, typer.Option("--out", help="Where a fleet's results go.")] = None,
) -> None:
    """Empty a battery under the policy of a build, or let fleets live through scenarios; all is modelled."""
    if scenario:
        _fleet(scenario, devices, seeds, setting, scheduler, out or builds() / "simulate")
        return
    from rich.table import Table

    recipe, chosen = load_recipe(model), load_target(target)
    duty = duty_of(recipe.duty, recipe.governor)
    duty = replace(duty, capacity_mah=capacity or duty.capacity_mah, millivolts=millivolts or duty.millivolts)
    device = device_of(chosen.energy, duty)
    device = replace(device, period_s=period or device.period_s, idle_uw=device.idle_uw if idle is None else idle)
    policy, taken = policy_of_report(build_folder(recipe) / chosen.name / "report.json", device.millivolts)
    table = Table(title=f"{recipe.name} on {chosen.name}: {device}", title_justify="left", title_style="bold")
    table.add_column("mode", no_wrap=True)
    table.add_column("energy, modelled", justify="right")
    table.add_column("life, hours", justify="right")
    for mode, one in taken.items():
        table.add_row(mode, f"{one.microjoules:,.1f} uJ", f"{device.life_s(one) / 3600:,.0f}")
    table.add_row("policy", "", f"{life(policy, taken, device) / 3600:,.0f}", style="bold")
    console().print(table)
    if slow := device.without_pause(taken):
        console().print(slow, highlight=False, soft_wrap=True)


def _fleet(
    names: Sequence[str], devices: int, seeds: int, setting_file: Path | None, scheduler: str, out: Path
) -> None:
    from dimmer.pipeline.verification.simulation.advice import fixed_mode
    from dimmer.pipeline.verification.simulation.bars import bars_of
    from dimmer.pipeline.verification.simulation.results import bars_table, table_of, write_results
    from dimmer.pipeline.verification.simulation.run import parts_of, simulate_fleet
    from dimmer.pipeline.verification.simulation.scenarios import Kind, scenarios_of
    from dimmer.pipeline.verification.simulation.setting import SETTING, load_setting
    from dimmer.pipeline.verification.simulation.summary import summarise

    setting = load_setting(setting_file or SETTING)
    scenarios, parts = scenarios_of(names, setting), parts_of(devices, seeds)
    with progress_bar("simulate") as progress:
        outcomes = simulate_fleet(scenarios, setting, parts, out / "parts", scheduler, progress)
    summaries = [summarise(one, parts, outcomes[one.name]) for one in scenarios]
    bars = bars_of(summaries)
    advice = "; ".join(fixed_mode(one, setting).text() for one in scenarios if one.kind is Kind.ENDLESS)
    write_results(out, summaries, bars, advice)
    for summary in summaries:
        console().print(table_of(summary))
    if bars:
        console().print(bars_table(bars))
    if advice:
        console().print(advice, highlight=False, soft_wrap=True)
    print(out / "results.json")


if __name__ == "__main__":
    main_of(main)
