# SPDX-License-Identifier: Apache-2.0
"""One part of a fleet: which policies live through a scenario, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier
from dimmer.pipeline.image.policy import Drain, recharge_policy, recipe_policy
from dimmer.pipeline.recipe.sections.policy import PolicySection
from dimmer.pipeline.verification.simulation.devices import Devices, draw
from dimmer.pipeline.verification.simulation.oracle import (
    daily_oracle,
    deadline_oracle,
    endless_oracle,
    recharge_oracle,
)
from dimmer.pipeline.verification.simulation.policies import (
    EvenSpending,
    FixedModes,
    Governor,
    Policy,
    TierPolicy,
    governor_section,
)
from dimmer.pipeline.verification.simulation.scenarios import DAY_S, Kind, Scenario
from dimmer.pipeline.verification.simulation.setting import Board, Floats, Setting
from dimmer.pipeline.verification.simulation.world import live

GOVERNOR, TIERS, OLD_TIERS, COMPUTED, ORACLE = "governor", "tiers", "tiers off the hull", "tiers by recharge", "oracle"
_HYSTERESIS, _DWELL_S = 30, 60


@dataclass(frozen=True)
class Part:
    """A part of a fleet that is simulated at once.

    Attributes:
        seed: of the fleet.
        number: of the part.
        devices: in it.
        oracles: for how many of them a linear program is solved.
    """

    seed: int
    number: int
    devices: int
    oracles: int


@dataclass(frozen=True)
class Outcome:
    """What became of a part.

    Attributes:
        policies: names, one a row.
        right, alive, worst_day: float64[rows, n], as `world.Lives` has them.
        feasible: float64[n], whether the cheapest mode carries every event to the end; 1 where nobody asks.
        oracle: float64[n], share of events; NaN where none was solved.
    """

    policies: tuple[str, ...]
    right: Floats
    alive: Floats
    worst_day: Floats
    feasible: Floats
    oracle: Floats

    def save(self, path: Path) -> None:
        """Writes it, or nothing."""
        part = path.with_name(f".{path.name}")
        with part.open("wb") as file:
            np.savez_compressed(
                file,
                policies=np.array(self.policies),
                right=self.right,
                alive=self.alive,
                worst_day=self.worst_day,
                feasible=self.feasible,
                oracle=self.oracle,
            )
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Outcome:
        """Reads it."""
        with np.load(path) as file:
            arrays = {name: file[name] for name in ("right", "alive", "worst_day", "feasible", "oracle")}
            return cls(tuple(map(str, file["policies"])), **arrays)


def simulate_part(scenario: Scenario, setting: Setting, part: Part) -> Outcome:
    """Simulates one."""
    board = setting.boards[scenario.board]
    devices = draw(scenario, board, part.devices, part.seed, part.number)
    policies = policies_for(scenario, setting, board, devices)
    lives = live(scenario, board, devices, policies)
    oracle, feasible = np.full(part.devices, np.nan), np.ones(part.devices)
    if scenario.kind is Kind.DEADLINE:
        oracle, feasible = deadline_oracle(scenario, setting, board, devices, lives.events)
    elif scenario.kind is Kind.SOLAR:
        for which in range(min(part.oracles, part.devices)):
            oracle[which] = daily_oracle(scenario, setting, board, devices, which)
    elif scenario.kind is Kind.RECHARGE:
        oracle = recharge_oracle(scenario, setting, board, devices)
    else:
        oracle = endless_oracle(scenario, setting, board, devices)
    return Outcome(lives.policies, lives.right, lives.alive, lives.worst_day, feasible, oracle)


def policies_for(scenario: Scenario, setting: Setting, board: Board, fleet: Devices) -> Sequence[Policy]:
    """Baselines and governor of a scenario."""
    devices = fleet.count
    capacity = scenario.spread.capacity_mean * scenario.capacity_mj(board)
    chosen: list[Policy] = [FixedModes(setting, board)]
    section = PolicySection(setting.tier_thresholds, _HYSTERESIS, _DWELL_S)
    hull = recipe_policy(section, setting.hull[::-1])
    chosen.append(TierPolicy(TIERS, setting, board, hull, devices))
    modes = [setting.modes.index(mode) for mode in setting.tier_modes]
    old = tuple(Tier(at, 0, mode) for at, mode in zip((*setting.tier_thresholds, 0), modes, strict=True))
    config = PolicyConfig(old, _DWELL_S, _HYSTERESIS)
    chosen.append(TierPolicy(OLD_TIERS, setting, board, config, devices))
    if scenario.kind is Kind.DEADLINE:
        chosen.append(EvenSpending(setting, board, scenario, capacity / (scenario.days * DAY_S)))
        chosen.append(Governor(GOVERNOR, setting, board, governor_section(scenario, board, scenario.days), devices))
    elif scenario.kind is Kind.SOLAR:
        assert fleet.harvest is not None
        chosen.append(EvenSpending(setting, board, scenario, float(fleet.harvest.mean()) / scenario.report_s))
        chosen.append(Governor(GOVERNOR, setting, board, governor_section(scenario, board, 0), devices))
    elif scenario.kind is Kind.RECHARGE:
        assert scenario.recharge is not None
        chosen.append(EvenSpending(setting, board, scenario, capacity / scenario.recharge.mean_s))
        chosen.append(TierPolicy(COMPUTED, setting, board, computed_tiers(scenario, setting, board), devices))
        days = 2 * scenario.recharge.mean_s / DAY_S
        chosen.append(Governor(GOVERNOR, setting, board, governor_section(scenario, board, days), devices))
    else:
        for name in dict.fromkeys(setting.modes[mode] for mode in setting.hull):
            cycles = setting.cycles[setting.modes.index(name)]
            power = scenario.idle_mw(board) + board.millijoules(cycles) / scenario.period_s
            days = capacity / power / DAY_S
            plan = governor_section(scenario, board, days)
            chosen.append(Governor(f"governor as long as {name}", setting, board, plan, devices))
    return chosen


def computed_tiers(scenario: Scenario, setting: Setting, board: Board) -> PolicyConfig:
    """Tiers for the scenario's charger."""
    assert scenario.recharge is not None
    idle, modes = scenario.idle_mw(board), setting.hull[::-1]
    drain = Drain(
        tuple(idle + board.millijoules(setting.cycles[i]) / scenario.period_s for i in modes),
        tuple(setting.accuracy[i] for i in modes),
        scenario.spread.capacity_mean * scenario.capacity_mj(board),
    )
    charger = scenario.recharge
    # As a recipe has it; its gauge's dropouts are no silence here.
    section = PolicySection(
        hysteresis_permille=0,
        dwell_s=_DWELL_S,
        stale_s=0,
        stale_inferences=0,
        recharge=charger.distribution,
        recharge_hours=charger.mean_s / 3600,
    )
    return recharge_policy(section, modes, drain)


def drawn(scenario: Scenario, setting: Setting, part: Part) -> Devices:
    """The devices of a part, for whoever wants to look at them."""
    return draw(scenario, setting.boards[scenario.board], part.devices, part.seed, part.number)
