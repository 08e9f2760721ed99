# SPDX-License-Identifier: Apache-2.0
"""Scenarios: what a device hangs on, what is asked of it, and what nobody knows beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from dimmer.errors import DimmerError
from dimmer.pipeline.energy.recharge import Recharge
from dimmer.pipeline.verification.simulation.cells import Cell, cell_named
from dimmer.pipeline.verification.simulation.setting import Board, Setting

DAY_S = 86_400


class Kind(StrEnum):
    """What is asked of a device."""

    DEADLINE = "deadline"
    SOLAR = "solar"
    RECHARGE = "recharge"
    ENDLESS = "endless"


@dataclass(frozen=True)
class Spread:
    """How devices differ from what their makers took them for.

    Attributes:
        capacity_mean: of the nominal one, which the governor is told.
        capacity: standard deviation, of the nominal one.
        rate: of events, standard deviation of the logarithm, between devices.
        daily_rate: the same, from day to day.
        sleep: of what is drawn between inferences, the same.
        gauge_drift: standard deviation of the gauge's error, of the reading, at half a charge.
        gauge_noise: of each reading, of the full charge.
        dropouts: share of readings that are 0.
        harvest: of the panel's yield, standard deviation, of the nominal one.
    """

    capacity_mean: float = 0.95
    capacity: float = 0.10
    rate: float = 0.25
    daily_rate: float = 0.20
    sleep: float = 0.30
    gauge_drift: float = 0.04
    gauge_noise: float = 0.01
    dropouts: float = 0.001
    harvest: float = 0.0


@dataclass(frozen=True)
class Panel:
    """A solar cell, and where it lies.

    Attributes:
        cm2: its area.
        efficiency: of cell and charger together.
        place: a key of `sun.PLACES`, or a CSV file with watts a square metre, hour by hour.
    """

    cm2: float
    efficiency: float = 0.15 * 0.8
    place: str = "berlin"


@dataclass(frozen=True)
class Scenario:
    """What devices live through.

    Attributes:
        board: a key of the setting's.
        cell: a key of `cells.toml`.
        capacity_mah: nominal, at the board's voltage.
        days: that are simulated; the deadline, where there is one.
        period_s: mean from one event to the next.
        report_s: from one report of the battery to the next.
        reserve_permille: of the governor.
        celsius: of the cell.
        more_sleep_ua: of the supply, beside the board's own.
        start: charge at the beginning, 0..1.
    """

    name: str
    kind: Kind
    board: str
    cell: str
    capacity_mah: float
    days: float
    period_s: float = 10.0
    report_s: int = 600
    reserve_permille: int = 20
    celsius: float = 20.0
    more_sleep_ua: float = 0.0
    start: float = 1.0
    spread: Spread = field(default_factory=Spread)
    panel: Panel | None = None
    recharge: Recharge | None = None

    @property
    def steps(self) -> int:
        """Reports of a life."""
        return round(self.days * DAY_S / self.report_s)

    @property
    def kind_of_cell(self) -> Cell:
        """The cell's table."""
        return cell_named(self.cell)

    def capacity_mj(self, board: Board) -> float:
        """Nominal capacity that the board can use at the cell's temperature, millijoules."""
        cell = self.kind_of_cell
        # The cell is empty to the device when its voltage under load is.
        usable = 1 - cell.unusable(board.active_ma, board.brown_out_volts, self.celsius)
        return self.capacity_mah * 3600 * board.volts * cell.capacity_at(self.celsius) * usable

    def idle_mw(self, board: Board) -> float:
        """Nominal, between inferences, self-discharge included."""
        supply = self.more_sleep_ua * board.volts / 1000
        return board.sleep_mw + supply + self.kind_of_cell.leak(self.capacity_mj(board))


_STORES = (("20 J", "supercapacitor", 20_000.0), ("10 mAh", "li-ion", 133_200.0), ("100 mAh", "li-ion", 1_332_000.0))


def deadlines(setting: Setting) -> Iterator[Scenario]:
    """(i) A deadline under uncertainty: a coin cell, and a board that would brown it out with a larger cell."""
    for days in (73, 89, 101):
        yield Scenario(f"deadline nrf52840 {days} d", Kind.DEADLINE, "nrf52840", "cr2032", 230, days)
    coin, other = setting.boards["nrf52840"], setting.boards["nucleo-l4r5zi"]
    for days in (73, 89, 101):
        # As many cycles an inference as the coin cell allows.
        first = Scenario("", Kind.DEADLINE, "nrf52840", "cr2032", 230, days)
        power = 0.95 * first.capacity_mj(coin) / (days * DAY_S) - first.idle_mw(coin)
        second = Scenario("", Kind.DEADLINE, "nucleo-l4r5zi", "li-ion", 500, days)
        load = power / coin.millijoules(1) * other.millijoules(1) + second.idle_mw(other)
        own = round(0.95 * second.capacity_mj(other) / load / DAY_S)
        yield Scenario(f"deadline nucleo-l4r5zi {own} d", Kind.DEADLINE, "nucleo-l4r5zi", "li-ion", 500, own)


def suns(setting: Setting) -> Iterator[Scenario]:
    """(ii) A year of Berlin's sun, panels and stores of several sizes."""
    board = setting.boards["nrf52840"]
    sure = Spread(capacity_mean=1.0, capacity=0.05, rate=0.05, daily_rate=0.1, sleep=0.1, harvest=0.1)
    for cm2 in (0.25, 0.5, 1.0):
        for store, cell, mj in _STORES:
            yield Scenario(
                f"solar {cm2:g} cm2 {store}",
                Kind.SOLAR,
                "nrf52840",
                cell,
                mj / 3600 / board.volts,
                365,
                report_s=3600,
                # It starts again by itself when the sun is back.
                reserve_permille=0,
                more_sleep_ua=2.0,
                start=0.5,
                spread=sure,
                panel=Panel(cm2),
            )


def recharges(setting: Setting) -> Iterator[Scenario]:
    """(iii) A charger that comes at random."""
    del setting
    for name in ("exponential", "uniform"):
        for days in (6.0, 12.0):
            yield Scenario(
                f"recharge {name} {days:g} d",
                Kind.RECHARGE,
                "nrf52840",
                "li-ion",
                40,
                120,
                report_s=3600,
                spread=Spread(rate=0.1, sleep=0.1),
                recharge=Recharge(name, days * DAY_S),
            )


def endless(setting: Setting) -> Iterator[Scenario]:
    """(iv) No deadline and a constant rate."""
    del setting
    yield Scenario("endless nrf52840", Kind.ENDLESS, "nrf52840", "cr2032", 230, 260, report_s=3600)


_KINDS = {Kind.DEADLINE: deadlines, Kind.SOLAR: suns, Kind.RECHARGE: recharges, Kind.ENDLESS: endless}


def scenarios_of(names: Sequence[str], setting: Setting) -> list[Scenario]:
    """Scenarios by their names, by their kinds, or all.

    Raises:
        DimmerError: one is not known, or the setting lacks its board.
    """
    known = [scenario for kind in _KINDS.values() for scenario in kind(setting)]
    found: list[Scenario] = []
    for name in names:
        some = [s for s in known if name in ("all", s.kind, s.name)]
        if not some:
            kinds = ", ".join(_KINDS)
            raise DimmerError(
                f"no scenario is called {name}: take all, {kinds}, or one by its name, such as {known[0].name}"
            )
        found += [scenario for scenario in some if scenario not in found]
    for scenario in found:
        if scenario.board not in setting.boards:
            raise DimmerError(f"{scenario.name} needs [boards.{scenario.board}] in the setting")
    return found
