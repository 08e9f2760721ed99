# SPDX-License-Identifier: Apache-2.0
"""Gated runs on the host and the target against the interpreter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.verification import VerifiedBudget, VerifiedGates
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.data.dataset import Split
from dimmer.pipeline.data.encoding import to_input, to_int8
from dimmer.pipeline.image.gated_records import Gated, run_gated
from dimmer.pipeline.networks.gates.agreement import compare as agreement
from dimmer.pipeline.networks.gates.budget import budget_level
from dimmer.pipeline.networks.gates.network import GatedNetwork
from dimmer.pipeline.verification.backends import Backend, Subjects
from dimmer.pipeline.verification.gated_expected import gated_oracle, mismatches, mode_counts
from dimmer.pipeline.verification.order import GatedOrder
from dimmer.pipeline.verification.schedules import SEED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dimmer.pipeline.core.arrays import Int8

BATCH = 250


def verify_gates(order: GatedOrder, subjects: Subjects, test: Split, count: int, progress: Progress) -> VerifiedGates:
    """Compares gated runs, each with another budget, and measures each budget of the order on the whole split.

    Args:
        count: of the first images that are compared; fewer where the target wants fewer (`Runner.samples`).

    Raises:
        DimmerError: any mismatch.
    """
    limits = (backend.target.runner.samples for backend in subjects.backends)
    images, count = to_int8(test.images), min(count, len(test), *(limit for limit in limits if limit is not None))
    levels = np.random.default_rng(SEED).integers(0, 256, count)
    progress("gated runs against the interpreter", 0.95)
    expected = gated_oracle(subjects.sources, order.gates, images[:count], levels)
    wrong = {}
    for backend in subjects.backends:
        wrong[backend.name] = mismatches(expected, _run(order, subjects, backend, images[:count], levels))
        if wrong[backend.name]:
            raise DimmerError(
                f"{backend.name} differs from the TFLite interpreter or the gates' reference in {wrong[backend.name]} "
                f"of {count} gated inferences; do not flash it, report it"
            )
    budgets = []
    for budget in order.budgets:
        progress(f"test accuracy of the gates with a budget of {budget}", 0.97)
        ran = _run(order, subjects, subjects.host, images, np.full(len(test), budget_level(budget)))
        budgets.append(measure_budget(order.network, budget, ran, test))
    return VerifiedGates(count, wrong, order.share_of_macs, tuple(budgets))


def _run(order: GatedOrder, subjects: Subjects, backend: Backend, images: Int8, levels: NDArray[np.int64]) -> Gated:
    blocks = len(order.gates.blocks)
    return run_gated(backend.target, backend.elf, images, levels, blocks, subjects.output_bytes)


def measure_budget(network: GatedNetwork, budget: float, ran: Gated, test: Split) -> VerifiedBudget:
    """What gated inferences of a whole split with one budget come to.

    Args:
        network: the same gates in front of the float network.
    """
    modes = mode_counts(ran.bits, [len(stage) for stage in network.cost.blocks])
    return VerifiedBudget(
        budget=budget,
        accuracy=float(np.mean(ran.outputs.argmax(1) == test.labels)),
        cost=sum(network.cost.relative(mode) * times for mode, times in modes.items()) / len(test),
        agreement=agreement(ran.bits.astype(np.int64), float_choices(network, test, budget)),
        modes={str(mode): times for mode, times in modes.items()},
    )


@torch.no_grad()
def float_choices(network: GatedNetwork, split: Split, budget: float) -> NDArray[np.int64]:
    """The bits that trained gates choose for a split in front of the float network, int64[N, blocks]."""
    rows = []
    for start in range(0, len(split), BATCH):
        x = to_input(split.images[start : start + BATCH])
        rows.append(network(x, torch.full((len(x),), float(budget_level(budget)))).bits().numpy())
    return np.concatenate(rows)
