# SPDX-License-Identifier: Apache-2.0
"""A trained model beside its nulls: which modes and budgets are compared, at which costs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch

from dimmer.pipeline.artifacts.gates import load_gates
from dimmer.pipeline.artifacts.trained import load_network
from dimmer.pipeline.core.progress import Progress, part
from dimmer.pipeline.data.dataset import Dataset, Split
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks import Network
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.reporting.experiments.cycles import CycleCosts
from dimmer.pipeline.reporting.experiments.nulls import (
    Against,
    InputValue,
    Measured,
    against_time_sharing,
    measured,
    run_gates,
    uniform_modes,
    value_of_input,
)
from dimmer.pipeline.subnets.images import calibration_images
from dimmer.pipeline.training.gated import make_gated

BIT_OPERATIONS, CYCLES = "of the 8-bit super-net's bit-operations", "cycles"


@dataclass(frozen=True, eq=False)
class Subject:
    """What is compared.

    Attributes:
        network: trained.
        data: its data set, of which fewer test images may count.
        norms: float32[N,C,H,W], training images for statistics.
        found: modes that were measured already.
    """

    network: Network
    data: Dataset
    norms: torch.Tensor
    found: dict[Mode, Measured] = field(default_factory=dict)

    def measured(self, mode: Mode) -> Measured:
        """A mode, measured once."""
        if mode not in self.found:
            self.found[mode] = measured(self.network, self.data, mode, self.norms)
        return self.found[mode]

    def bit_operations(self, mode: Mode) -> float:
        """Of an inference without gates, as a fraction of the 8-bit super-net's."""
        cost = self.network.cost()
        return mode.bit_operations(cost) / self.network.super_mode().bit_operations(cost)


def subject_of(recipe: Recipe, images: int | None) -> Subject:
    """The trained model of a recipe.

    Args:
        images: test images that count, the first ones; all by default.

    Raises:
        DimmerError: it is not trained, or its data is nowhere.
    """
    data = load_dataset(recipe.source)
    norms = calibration_images(data, recipe.calibration, recipe.selection, recipe.train.seed).norms
    test = Split(data.test.images[:images], data.test.labels[:images])
    return Subject(load_network(recipe), replace(data, test=test), norms)


def compare_modes(subject: Subject, recipe: Recipe, costs: CycleCosts | None, progress: Progress) -> list[Against]:
    """The modes of a build, or those that the recipe forces, beside time-sharing of the super-net's widths."""
    uniform = uniform_modes(subject.network, skipped=False)
    names = recipe.forced_modes() if costs is None else tuple(map(Mode.parse, costs.measured))
    modes = list(dict.fromkeys((*uniform, *names)))
    for number, mode in enumerate(modes):
        progress(f"test images in {mode}", 0.5 * number / len(modes))
        subject.measured(mode)
    nulls = {mode: subject.measured(mode) for mode in uniform}
    found = []
    for mode in modes:
        if mode in nulls:
            continue
        right = subject.measured(mode).right
        cost = subject.bit_operations(mode)
        found.append(against_time_sharing(str(mode), right, cost, nulls, subject.bit_operations, BIT_OPERATIONS))
        if costs is not None:
            found.append(against_time_sharing(str(mode), right, costs.of(mode), nulls, costs.of, CYCLES))
    return found


def compare_gates(
    subject: Subject, recipe: Recipe, costs: CycleCosts | None, permutations: int, progress: Progress
) -> tuple[list[Against], list[InputValue]]:
    """The gates at every budget of the recipe, beside time-sharing of all uniform modes and beside permutations.

    Uniform modes need no gates: their cost is without them, that of a gated inference with them.
    """
    network, test = subject.network, subject.data.test
    gated = make_gated(network, recipe.gates, load_gates(recipe)).eval()
    nulls = {mode: subject.measured(mode) for mode in uniform_modes(network, skipped=True)}
    sizes = [m + s for m, s in zip(network.config.mandatory, network.config.skippable, strict=True)]
    above, values = [], []
    for number, budget in enumerate(recipe.gates.budgets):
        begun = 0.5 + 0.5 * number / len(recipe.gates.budgets)
        told = part(progress, begun, begun + 0.5 / len(recipe.gates.budgets))
        told(f"gates with budget {budget:g}", 0.0)
        ran = run_gates(gated, test, budget, told)
        name = f"gates, budget {budget:g}"
        mean = ran.mean(sizes, gated.cost.relative)
        above.append(against_time_sharing(name, ran.right, mean, nulls, subject.bit_operations, BIT_OPERATIONS))
        if costs is not None:
            mean = ran.mean(sizes, costs.of) + costs.gates
            above.append(against_time_sharing(name, ran.right, mean, nulls, costs.of, CYCLES))
        seed = recipe.train.seed
        values.append(value_of_input(network, test, budget, ran.bits, ran.right, permutations, seed))
    return above, values
