# SPDX-License-Identifier: Apache-2.0
"""A trained model beside its nulls: which modes and budgets are compared, at which costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import CHECKPOINT, load_tensors
from dimmer.pipeline.artifacts.gate_record import load_gate_record
from dimmer.pipeline.artifacts.gates import load_gates
from dimmer.pipeline.artifacts.trained import find_checkpoint, find_gates, load_network
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.statistics import paired
from dimmer.pipeline.data.dataset import Dataset, Split
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.modes.mode import FULL_BITS, Mode
from dimmer.pipeline.networks import Network
from dimmer.pipeline.networks.gates.network import Gates
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.recipe.sections.gates import GatesSection
from dimmer.pipeline.reporting.experiments.cycles import CycleCosts
from dimmer.pipeline.reporting.experiments.nulls import (
    Against,
    InputValue,
    Measured,
    Price,
    Right,
    against_time_sharing,
    measured,
    priced,
    right_permuted,
    run_gates,
    time_shared,
    uniform_modes,
    value_of_input,
)
from dimmer.pipeline.subnets.images import calibration_images
from dimmer.pipeline.training.gated import make_gated
from dimmer.toml import plain

CYCLES = "cycles"


def bit_operations_of(reference_bits: int) -> str:
    """The unit of costs that are counted against a super-net of so many bits."""
    return f"of the {reference_bits}-bit super-net's bit-operations"


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
    units: dict[str, Price] = {bit_operations_of(FULL_BITS): subject.bit_operations}
    if costs is not None:
        units[CYCLES] = costs.of
    return [
        against_time_sharing(str(mode), subject.measured(mode).right, price(mode), priced(nulls, price), unit)
        for mode in modes
        if mode not in nulls
        for unit, price in units.items()
    ]


@dataclass(frozen=True, eq=False)
class _Trained:
    """Gates that were trained, and the network that they choose for.

    Attributes:
        name: of their folder; "" for the model's own.
        alike: what trainings have in common that are averaged (`GateRunId.alike`).
        section: their shape, and how their costs are counted.
        gates: themselves.
        network: their backbone.
        uniform: name -> a uniform mode of the model's network, and of theirs where that learnt with them.
        budgets: that they are compared at.
    """

    name: str
    alike: str
    section: GatesSection
    gates: Gates
    network: Network
    uniform: Mapping[str, tuple[Mode, Measured]]
    budgets: tuple[float, ...]


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
    """The gates at every budget, beside time-sharing of all uniform modes and beside permutations.

    Uniform modes need no gates: their cost is without them, that of a gated inference with them. Where the backbone
    learnt with the gates, its uniform modes are shared out as well as those of the model's own network.

    Args:
        trained: gates of this network, each for all budgets of the recipe or for the only one that they know; the mean
            of those of the same section, backbone and data is compared, too. The model's own by default.
    """
    found = [_trained(subject, recipe, path, _name(path)) for path in trained or ()]
    found = found or [_trained(subject, recipe, find_gates(recipe), "")]
    if len({one.name for one in found}) < len(found):
        raise DimmerError("two of the gates have the same name; put them into folders of different names")
    work = [(budget, one) for one in found for budget in one.budgets]
    groups: dict[tuple[float, str], list[_Ran]] = {}
    for number, (budget, one) in enumerate(sorted(work, key=lambda pair: -pair[0])):
        progress(f"gates {one.name} with budget {budget:g}".replace("  ", " "), 0.5 + 0.5 * number / len(work))
        groups.setdefault((budget, one.alike), []).append(_run(subject, one, budget, costs, permutations, recipe))
    above: list[Against] = []
    values: list[InputValue] = []
    for (budget, _), ran in groups.items():
        for seen in (*ran, _mean_of(ran)) if len(ran) > 1 else ran:
            label = f"gates, budget {budget:g}" + (f", {seen.gates}" if seen.gates else "")
            accuracy = 100 * float(seen.right.mean())
            for unit, (cost, mixture, shared) in seen.nulls.items():
                above.append(Against(label, unit, cost, accuracy, mixture, paired(seen.right, shared)))
            values.append(value_of_input(budget, seen.right, seen.permuted, seen.gates))
    return above, values


def _trained(subject: Subject, recipe: Recipe, path: Path, name: str) -> _Trained:
    """Gates as their training recorded them, whatever the recipe says of gates now.

    Raises:
        DimmerError: they, or the backbone beside them, are not what they were trained with.
    """
    record = load_gate_record(path)
    known = record.gates
    section = replace(
        recipe.gates,
        options=known.options,
        features=known.features,
        hidden=known.hidden,
        reference_bits=known.reference_bits,
        only_budget=known.only_budget,
    )
    if record.run.backbone != load_tensors(find_checkpoint(recipe))[1].get("run"):
        raise DimmerError(f"{path}: these gates began with another network than {recipe.name} has; train them again")
    network, uniform = subject.network, _uniform(subject)
    if record.run.section()["backbone_lr"]:
        beside = path.with_name(CHECKPOINT)
        network = load_network(recipe, beside)
        if load_tensors(beside)[1].get("run") != record.run.to_json():
            raise DimmerError(f"{beside} is not the network that learnt with these gates; put that one beside them")
        learnt = Subject(network, subject.data, subject.norms)
        uniform |= {f"{mode} of {name or recipe.name}": pair for mode, pair in _uniform(learnt).items()}
    gates = load_gates(replace(recipe, gates=section), path)
    return _Trained(name, record.run.alike(), section, gates, network, uniform, section.served)


def _uniform(subject: Subject) -> dict[str, tuple[Mode, Measured]]:
    return {str(mode): (mode, subject.measured(mode)) for mode in uniform_modes(subject.network, skipped=True)}


def _run(
    subject: Subject, one: _Trained, budget: float, costs: CycleCosts | None, permutations: int, recipe: Recipe
) -> _Ran:
    network, test = one.network, subject.data.test
    sizes = [m + s for m, s in zip(network.config.mandatory, network.config.skippable, strict=True)]
    gated = make_gated(network, one.section, one.gates).eval()
    ran = run_gates(gated, test, budget, lambda text, share: None)
    macs = network.cost()
    units: dict[str, tuple[float, Price]] = {
        bit_operations_of(one.section.reference_bits): (
            ran.mean(sizes, gated.cost.relative),
            lambda mode: mode.bit_operations(macs) / gated.cost.full,
        )
    }
    # The report knows what the recipe's gates take, and nothing of others.
    if costs is not None and one.section.config() == recipe.gates.config():
        units[CYCLES] = (ran.mean(sizes, costs.of) + costs.gates, costs.of)
    nulls = {
        unit: (mean, *time_shared(mean, {name: (price(mode), found) for name, (mode, found) in one.uniform.items()}))
        for unit, (mean, price) in units.items()
    }
    permuted = right_permuted(network, test, ran.bits, permutations, recipe.train.seed)
    return _Ran(one.name, ran.right, permuted, nulls)


def _mean_of(ran: Sequence[_Ran]) -> _Ran:
    """Of several trainings on the same test images: means, image by image."""
    nulls = {}
    for unit in ran[0].nulls:
        costs, mixtures, rights = zip(*(one.nulls[unit] for one in ran), strict=True)
        names = dict.fromkeys(name for mixture in mixtures for name in mixture)
        mixture = {name: sum(mixture.get(name, 0.0) for mixture in mixtures) / len(ran) for name in names}
        nulls[unit] = (float(np.mean(costs)), mixture, np.mean(rights, axis=0))
    right, permuted = (np.mean([getattr(one, key) for one in ran], axis=0) for key in ("right", "permuted"))
    return _Ran(f"mean of {', '.join(one.gates for one in ran)}", right, permuted, nulls)


def _name(path: Path) -> str:
    """Of the folder that gates were trained in."""
    return plain(path.parent.name if path.suffix else path.name)
