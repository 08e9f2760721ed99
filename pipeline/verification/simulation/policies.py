# SPDX-License-Identifier: Apache-2.0
"""Policies that a fleet lives under. Each looks at what a device sees, and says what its inferences cost and bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.pipeline.energy.plan import plan_of
from dimmer.pipeline.recipe.sections.governor import GovernorSection
from dimmer.pipeline.verification.simulation import fleet
from dimmer.pipeline.verification.simulation.scenarios import Scenario
from dimmer.pipeline.verification.simulation.setting import Board, Floats, Setting


@dataclass(frozen=True)
class Seen:
    """What devices see between two reports.

    Attributes:
        step: number of the report.
        reports: REPORT[rows, n], one row a policy's variant; no row for those that do not look.
        wanted: uint32[n], events until the next report.
    """

    step: int
    reports: npt.NDArray[np.void]
    wanted: npt.NDArray[np.uint32]


class Policy(Protocol):
    """One or more variants of a policy.

    Attributes:
        names: one a row.
        looks: whether it reads reports.
    """

    names: tuple[str, ...]
    looks: bool

    def step(self, seen: Seen) -> tuple[Floats, Floats]:
        """Millijoules and right answers until the next report, both float64[rows, n]."""


class FixedModes:
    """Each mode for ever."""

    looks = False

    def __init__(self, setting: Setting, board: Board) -> None:
        self.names = tuple(f"fixed {mode}" for mode in setting.modes)
        self._cost: Floats = np.array([[board.millijoules(cycles)] for cycles in setting.cycles])
        self._right: Floats = np.array([[accuracy] for accuracy in setting.accuracy])

    def step(self, seen: Seen) -> tuple[Floats, Floats]:
        """As `Policy.step`."""
        wanted = seen.wanted.astype(np.float64)
        return self._cost * wanted, self._right * wanted


class TierPolicy:
    """Tiers by charge: `dimmer_policy_step`."""

    looks = True

    def __init__(self, name: str, setting: Setting, board: Board, tiers: PolicyConfig, devices: int) -> None:
        """Begins them.

        Args:
            tiers: with modes as numbers of the setting's.
        """
        self.names: tuple[str, ...] = (name,)
        self._cost = np.array([board.millijoules(cycles) for cycles in setting.cycles])
        self._right = np.array(setting.accuracy)
        self._tiers = fleet.Tiers(tiers, len(setting.modes), devices)

    def step(self, seen: Seen) -> tuple[Floats, Floats]:
        """As `Policy.step`."""
        mode = self._tiers.step(np.ascontiguousarray(seen.reports[0]))
        wanted = seen.wanted.astype(np.float64)
        return (self._cost[mode] * wanted)[None], (self._right[mode] * wanted)[None]


class Governor:
    """`dimmer_governor_report` and `dimmer_governor_choose`."""

    looks = True

    def __init__(
        self, name: str, setting: Setting, board: Board, section: GovernorSection, devices: int, each: bool = False
    ) -> None:
        """Begins them.

        Args:
            section: as a recipe has it.
            each: whether to step through every choice.
        """
        self.names: tuple[str, ...] = (name,)
        self._cost = np.array([board.millijoules(setting.cycles[mode]) for mode in setting.hull])
        self._right = np.array([setting.accuracy[mode] for mode in setting.hull])
        points = [(mode, cost * 1e6) for mode, cost in zip(setting.hull, self._cost, strict=True)]
        plan = plan_of(section, points, section.sleep_ua)
        self._fleet = fleet.Governors(plan, devices, each)

    def step(self, seen: Seen) -> tuple[Floats, Floats]:
        """As `Policy.step`."""
        counts = self._fleet.step(np.ascontiguousarray(seen.reports[0]), seen.wanted).astype(np.float64)
        return (counts @ self._cost)[None], (counts @ self._right)[None]


class EvenSpending:
    """One mixture of two modes for ever: the one that nominal sleep and rate leave of some power."""

    looks = False

    def __init__(self, setting: Setting, board: Board, scenario: Scenario, milliwatts: float) -> None:
        """Takes the mixture.

        Args:
            milliwatts: to be spent, on an average.
        """
        self.names: tuple[str, ...] = ("even spending",)
        power = milliwatts - scenario.idle_mw(board)
        cheapest, dearest = setting.cycles[setting.hull[0]], setting.cycles[setting.hull[-1]]
        cycles = min(max(power * scenario.period_s / board.millijoules(1), cheapest), dearest)
        self._cost, self._right = board.millijoules(cycles), float(setting.mixed(cycles))

    def step(self, seen: Seen) -> tuple[Floats, Floats]:
        """As `Policy.step`."""
        wanted = seen.wanted.astype(np.float64)[None]
        return self._cost * wanted, self._right * wanted


def governor_section(scenario: Scenario, board: Board, days: float) -> GovernorSection:
    """[governor] of a recipe for the scenario: what its maker knows.

    Args:
        days: to the deadline; 0 for none.
    """
    return GovernorSection(
        capacity_mah=scenario.spread.capacity_mean * scenario.capacity_mj(board) / 3600 / board.volts,
        millivolts=round(board.volts * 1000),
        days=days,
        harvest=scenario.panel is not None,
        period_s=scenario.period_s,
        report_s=scenario.report_s,
        sleep_ua=scenario.idle_mw(board) / board.volts * 1000,
        reserve_permille=scenario.reserve_permille,
    )


def policies_names(policies: Sequence[Policy]) -> tuple[str, ...]:
    """All rows' names, in their order."""
    return tuple(name for policy in policies for name in policy.names)
