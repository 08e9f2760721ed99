# SPDX-License-Identifier: Apache-2.0
"""Which mode to run for ever where there is neither a deadline nor a charger nor harvest: there no policy is better.

A device that answers the share a_i of its events at the power p_i lives for capacity / p_i, and answers
a_i capacity / p_i in its life, per event a second. Whatever time sharing f of modes it chooses,
sum f a / sum f p <= max a_i / p_i (the mediant inequality): the best fixed mode cannot be beaten, by nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.pipeline.verification.simulation.scenarios import DAY_S, Scenario
from dimmer.pipeline.verification.simulation.setting import Setting


@dataclass(frozen=True)
class Advice:
    """A mode to fix.

    Attributes:
        mode: that answers most events rightly in a life.
        right: how many those are.
        days: of that life.
        floor: how often the application is right without the network.
        over_floor: the mode that adds most to that.
    """

    mode: str
    right: float
    days: float
    floor: float
    over_floor: str

    def text(self) -> str:
        """For people."""
        return (
            f"no deadline, no charger, no harvest: no policy can beat one fixed mode. Take {self.mode}: "
            f"{self.right / 1000:,.0f} thousand right answers in {self.days:.0f} days. It is the right measure only "
            "if an answer that is wrong costs nothing: where the application is right in "
            f"{100 * self.floor:.0f} % without a network, {self.over_floor} adds most to that"
        )


def fixed_mode(scenario: Scenario, setting: Setting, floor: float = 0.8) -> Advice:
    """The mode to fix in a scenario without an end.

    Args:
        floor: how often the application is right without the network, 0..1.
    """
    board = setting.boards[scenario.board]
    idle, capacity = scenario.idle_mw(board), scenario.spread.capacity_mean * scenario.capacity_mj(board)

    def seconds(index: int) -> float:
        return capacity / (idle + board.millijoules(setting.cycles[index]) / scenario.period_s)

    def adds(index: int, over: float) -> float:
        return (setting.accuracy[index] - over) * seconds(index) / scenario.period_s

    modes = range(len(setting.modes))
    best = max(modes, key=lambda i: adds(i, 0.0))
    over = max(modes, key=lambda i: adds(i, floor))
    return Advice(setting.modes[best], adds(best, 0.0), seconds(best) / DAY_S, floor, setting.modes[over])
