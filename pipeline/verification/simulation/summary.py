# SPDX-License-Identifier: Apache-2.0
"""What a scenario's fleet says: means over devices, intervals over seeds, every difference paired by seed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dimmer.pipeline.core.statistics import LEVEL, t_quantile
from dimmer.pipeline.verification.simulation.experiment import GOVERNOR, ORACLE, Outcome, Part
from dimmer.pipeline.verification.simulation.scenarios import Kind, Scenario
from dimmer.pipeline.verification.simulation.setting import Floats

ROBUST = 0.95
"""A fixed mode is robust where so many devices live to the end in it."""


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds.

    Attributes:
        value: the mean.
        plus_minus: half of the 95 % interval; NaN for one seed.
    """

    value: float
    plus_minus: float

    @classmethod
    def of(cls, values: Floats) -> Estimate:
        """Of one number a seed."""
        if len(values) < 2:
            return cls(float(values.mean()), math.nan)
        t = t_quantile((1 + LEVEL) / 2, len(values) - 1)
        return cls(float(values.mean()), float(t * values.std(ddof=1) / math.sqrt(len(values))))

    def text(self, sign: bool = False) -> str:
        """In points, as 1.23 ± 0.04."""
        if math.isnan(self.value):
            return "-"
        number = f"{100 * self.value:+.2f}" if sign else f"{100 * self.value:.2f}"
        return number if math.isnan(self.plus_minus) else f"{number} ± {100 * self.plus_minus:.2f}"


@dataclass(frozen=True)
class Row:
    """A policy in a scenario.

    Attributes:
        right: share of all events that were answered rightly.
        over_fixed: the same, over the best fixed mode's, which is chosen with hindsight.
        over_robust: over the best fixed mode's that is robust; NaN where none is.
        under_oracle: what the oracle has more, of the devices for which one was solved; NaN where none was.
        survival: share of devices whose store carried everything to the end.
        feasible_survival: the same, of those in which the cheapest mode carries every event.
        alive: share of the time.
        fifth: the 5th percentile over devices of `right`.
        worst_day: mean over devices of their worst day.
    """

    policy: str
    right: Estimate
    over_fixed: Estimate
    over_robust: Estimate
    under_oracle: Estimate
    survival: float
    feasible_survival: float
    alive: float
    fifth: float
    worst_day: float


@dataclass(frozen=True)
class Summary:
    """A scenario's table.

    Attributes:
        board: a key of the setting's.
        days: that were simulated; the deadline, where there is one.
        best_fixed: with hindsight.
        robust_fixed: None where no fixed mode lets enough devices live.
        oracle: share of events, mean over the devices for which one was solved.
        oracles: how many those are, of all seeds.
        oracle_of_fleet: the same of all devices: the mean of the governor, or without one of the best fixed mode, and
            what the oracle has more than that where it was solved, seed by seed.
        feasible: share of devices for which the cheapest mode carries every event.
    """

    scenario: str
    kind: Kind
    board: str
    days: float
    devices: int
    seeds: int
    best_fixed: str
    robust_fixed: str | None
    oracle: Estimate
    oracles: int
    oracle_of_fleet: Estimate
    feasible: float
    rows: tuple[Row, ...]

    def row(self, policy: str) -> Row:
        """The row of a policy."""
        return next(row for row in self.rows if row.policy == policy)


def summarise(scenario: Scenario, parts: Sequence[Part], outcomes: Sequence[Outcome]) -> Summary:
    """The table of a scenario.

    Args:
        outcomes: of `parts`, in their order.
    """
    policies = outcomes[0].policies
    seeds = np.repeat([part.seed for part in parts], [part.devices for part in parts])
    right = np.concatenate([outcome.right for outcome in outcomes], axis=1)
    alive = np.concatenate([outcome.alive for outcome in outcomes], axis=1)
    worst = np.concatenate([outcome.worst_day for outcome in outcomes], axis=1)
    feasible = np.concatenate([outcome.feasible for outcome in outcomes]) > 0
    oracle = np.concatenate([outcome.oracle for outcome in outcomes])
    survives = alive >= 1
    means = right.mean(1)
    fixed = [i for i, policy in enumerate(policies) if policy.startswith("fixed ")]
    best = max(fixed, key=lambda i: means[i])
    robust = max((i for i in fixed if survives[i].mean() >= ROBUST), key=lambda i: means[i], default=None)
    solved = ~np.isnan(oracle)

    def of_seeds(values: Floats, which: npt.NDArray[np.bool_]) -> Floats:
        # A seed none of whose devices has an oracle says nothing of it.
        found = (values[(seeds == seed) & which] for seed in np.unique(seeds))
        return np.array([one.mean() if len(one) else math.nan for one in found])

    def estimate(of: Floats) -> Estimate:
        known = of[~np.isnan(of)]
        return Estimate.of(known) if len(known) else Estimate(math.nan, math.nan)

    everyone = np.ones_like(solved)

    def by_seed(values: Floats, which: npt.NDArray[np.bool_] = everyone) -> Estimate:
        return estimate(of_seeds(values, which))

    beside = right[policies.index(GOVERNOR) if GOVERNOR in policies else best]

    rows = tuple(
        Row(
            policy,
            by_seed(right[i]),
            by_seed(right[i] - right[best]),
            by_seed(right[i] - right[robust]) if robust is not None else Estimate(math.nan, math.nan),
            by_seed(oracle - right[i], solved),
            float(survives[i].mean()),
            float(survives[i][feasible].mean()) if feasible.any() else math.nan,
            float(alive[i].mean()),
            float(np.percentile(right[i], 5)),
            float(worst[i].mean()),
        )
        for i, policy in enumerate(policies)
    )
    return Summary(
        scenario.name,
        scenario.kind,
        scenario.board,
        scenario.days,
        right.shape[1] // len(np.unique(seeds)),
        len(np.unique(seeds)),
        policies[best],
        policies[robust] if robust is not None else None,
        by_seed(oracle, solved),
        int(solved.sum()),
        estimate(of_seeds(beside, everyone) + of_seeds(oracle - beside, solved)),
        float(feasible.mean()),
        rows,
    )


def as_json(summary: Summary) -> Mapping[str, object]:
    """For a file: shares, not points; NaN as null."""

    def number(value: float) -> float | None:
        return None if math.isnan(value) else round(value, 6)

    def estimate(value: Estimate) -> Mapping[str, float | None]:
        return {"value": number(value.value), "plus_minus": number(value.plus_minus)}

    def row(one: Row) -> Mapping[str, object]:
        found: dict[str, object] = {"policy": one.policy}
        for name in ("right", "over_fixed", "over_robust", "under_oracle"):
            found[name] = estimate(getattr(one, name))
        for name in ("survival", "feasible_survival", "alive", "fifth", "worst_day"):
            found[name] = number(getattr(one, name))
        return found

    return {
        "scenario": summary.scenario,
        "kind": str(summary.kind),
        "board": summary.board,
        "days": number(summary.days),
        "devices": summary.devices,
        "seeds": summary.seeds,
        "best_fixed": summary.best_fixed,
        "robust_fixed": summary.robust_fixed,
        ORACLE: estimate(summary.oracle),
        "oracles": summary.oracles,
        "oracle_of_fleet": estimate(summary.oracle_of_fleet),
        "feasible": number(summary.feasible),
        "policies": [row(one) for one in summary.rows],
    }
