# SPDX-License-Identifier: Apache-2.0
"""A trained model beside its nulls: which modes and budgets are compared, at which costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.gates import load_gates
from dimmer.pipeline.artifacts.trained import load_network
from dimmer.pipeline.core.progress import Progress, part
from dimmer.pipeline.core.statistics import paired
from dimmer.pipeline.data.dataset import Dataset, Split
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks import Network
from dimmer.pipeline.networks.gates.network import Gates
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.reporting.experiments.cycles import CycleCosts
from dimmer.pipeline.reporting.experiments.nulls import (
    Against,
    InputValue,
    Measured,
    Right,
    against_time_sharing,
    measured,
    right_permuted,
    run_gates,
    time_shared,
    uniform_modes,
    value_of_input,
)
from dimmer.pipeline.subnets.images import calibration_images
from dimmer.pipeline.training.gated import make_gated
from dimmer.toml import plain

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


@dataclass(frozen=True, eq=False)
class _Ran:
    """Gates with a budget, and what costs as much.

    Attributes:
        gates: which ones.
        right: test images that are right.
        permuted: with the choices of other images.
        nulls: unit -> cost, mixture and right images of time-sharing.
    """

    gates: str
    right: Right
    permuted: Right
    nulls: Mapping[str, tuple[float, Mapping[str, float], Right]]


def compare_gates(
    subject: Subject,
    recipe: Recipe,
    costs: CycleCosts | None,
    permutations: int,
    progress: Progress,
    trained: Sequence[Path] = (),
) -> tuple[list[Against], list[InputValue]]:
    """The gates at every budget of the recipe, beside time-sharing of all uniform modes and beside permutations.

    Uniform modes need no gates: their cost is without them, that of a gated inference with them.

    Args:
        trained: gates of this network, of several seeds: their mean is compared, too; the model's own by default.
    """
    names = {"": load_gates(recipe)} if not trained else {_name(path): load_gates(recipe, path) for path in trained}
    if len(names) < len(trained):
        raise DimmerError("two of the gates have the same name; put them into folders of different names")
    uniform = {mode: subject.measured(mode) for mode in uniform_modes(subject.network, skipped=True)}
    above: list[Against] = []
    values: list[InputValue] = []
    for number, budget in enumerate(recipe.gates.budgets):
        begun = 0.5 + 0.5 * number / len(recipe.gates.budgets)
        told = part(progress, begun, begun + 0.5 / len(recipe.gates.budgets))
        ran = []
        for done, (name, gates) in enumerate(names.items()):
            told(f"gates {name} with budget {budget:g}".replace("  ", " "), done / len(names))
            ran.append(_run(subject, recipe, costs, permutations, uniform, name, gates, budget))
        for one in (*ran, _mean_of(ran)) if len(ran) > 1 else ran:
            label = f"gates, budget {budget:g}" + (f", {one.gates}" if one.gates else "")
            accuracy = 100 * float(one.right.mean())
            for unit, (cost, mixture, shared) in one.nulls.items():
                above.append(Against(label, unit, cost, accuracy, mixture, paired(one.right, shared)))
            values.append(value_of_input(budget, one.right, one.permuted, one.gates))
    return above, values


def _run(
    subject: Subject,
    recipe: Recipe,
    costs: CycleCosts | None,
    permutations: int,
    uniform: Mapping[Mode, Measured],
    name: str,
    gates: Gates,
    budget: float,
) -> _Ran:
    network, test = subject.network, subject.data.test
    sizes = [m + s for m, s in zip(network.config.mandatory, network.config.skippable, strict=True)]
    gated = make_gated(network, recipe.gates, gates).eval()
    ran = run_gates(gated, test, budget, lambda text, share: None)
    mean = ran.mean(sizes, gated.cost.relative)
    nulls = {BIT_OPERATIONS: (mean, *time_shared(mean, uniform, subject.bit_operations))}
    if costs is not None:
        mean = ran.mean(sizes, costs.of) + costs.gates
        nulls[CYCLES] = (mean, *time_shared(mean, uniform, costs.of))
    permuted = right_permuted(network, test, ran.bits, permutations, recipe.train.seed)
    return _Ran(name, ran.right, permuted, nulls)


def _mean_of(ran: Sequence[_Ran]) -> _Ran:
    """Of several trainings on the same test images: means, image by image."""
    nulls = {}
    for unit in ran[0].nulls:
        costs, mixtures, rights = zip(*(one.nulls[unit] for one in ran), strict=True)
        names = dict.fromkeys(name for mixture in mixtures for name in mixture)
        mixture = {name: sum(mixture.get(name, 0.0) for mixture in mixtures) / len(ran) for name in names}
        nulls[unit] = (float(np.mean(costs)), mixture, np.mean(rights, axis=0))
    right, permuted = (np.mean([getattr(one, key) for one in ran], axis=0) for key in ("right", "permuted"))
    return _Ran(f"mean of {len(ran)}", right, permuted, nulls)


def _name(path: Path) -> str:
    """Of the folder that gates were trained in."""
    return plain(path.parent.name if path.suffix else path.name)
