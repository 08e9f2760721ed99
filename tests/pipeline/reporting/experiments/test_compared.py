# SPDX-License-Identifier: Apache-2.0
"""A trained model beside its nulls."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import CHECKPOINT, save_tensors
from dimmer.pipeline.artifacts.checkpoint import GATES as GATES_FILE
from dimmer.pipeline.artifacts.gate_record import GateFigures, GateRecord, GateRunId, load_gate_record
from dimmer.pipeline.data.dataset import Dataset, Split
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks import Network, build
from dimmer.pipeline.networks.gates.network import Gates
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.pipeline.reporting.experiments import compared
from dimmer.pipeline.reporting.experiments.compared import (
    CYCLES,
    bit_operations_of,
    compare_gates,
    compare_modes,
    subject_of,
)
from dimmer.pipeline.reporting.experiments.cycles import read_cycles
from dimmer.pipeline.reporting.experiments.nulls import Measured, Right
from dimmer.pipeline.training.gate_settings import GateSettings
from tests.pipeline.reporting.experiments.test_cycles import report_of
from tests.pipeline.training.small import GATES, recipe_in, stripes

BIT_OPERATIONS = bit_operations_of(8)
BACKBONE = {"model": "tiny", "training": "of seconds"}
UNIFORM = ["88.88", "80.80", "44.44", "40.40", "22.22", "20.20"]


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """With weights and gates that nobody trained."""
    monkeypatch.setattr(compared, "load_dataset", lambda name: stripes())
    text = GATES.replace("budgets = [0.9, 0.5, 0.25, 0.12]", "budgets = [0.9, 0.25]")
    recipe = recipe_in(tmp_path, text + "\n[calibration]\nbn_images = 128\n")
    home = recipe.path.parent
    save_tensors(home / CHECKPOINT, build("resnet", recipe.model.config).state_dict(), {"run": BACKBONE})
    trained_in(home, recipe)
    return load_recipe(home)


def trained_in(folder: Path, recipe: Recipe, **changes: Any) -> Path:
    """Gates that nobody trained, recorded as if they had been, by the recipe with these changes."""
    section = dataclasses.replace(recipe.gates, **changes)
    settings = dataclasses.replace(GateSettings.of(recipe), gates=section)
    shape = section.options, section.features, section.hidden
    figures = GateFigures(*shape, section.reference_bits, 1, 0.1, 1, section.only_budget)
    record = GateRecord(GateRunId("tiny", settings.hash(), BACKBONE), 1, figures, (), (), ())
    folder.mkdir(exist_ok=True)
    save_tensors(folder / GATES_FILE, Gates(recipe.model.config, section.config()).state_dict(), record.to_json())
    return folder / GATES_FILE


def test_modes_and_budgets_stand_beside_what_costs_the_same(recipe: Recipe, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report_of([*UNIFORM, "80.88"])))
    costs = read_cycles(path, "tiny")
    subject = subject_of(recipe, 60)
    assert len(subject.data.test) == 60
    told: list[float] = []
    above = compare_modes(subject, recipe, costs, lambda text, share: told.append(share))
    assert [(one.name, one.unit) for one in above] == [
        (name, unit) for name in ("80.80", "40.40", "20.20", "80.88") for unit in (BIT_OPERATIONS, CYCLES)
    ]
    assert above[0].cost == pytest.approx(subject.bit_operations(subject.network.base_mode()))
    assert above[1].cost == costs.measured["80.80"]
    assert all(set(one.mixture) <= {"88.88", "44.44", "22.22"} for one in above)
    more, values = compare_gates(subject, recipe, costs, 1, lambda text, share: told.append(share))
    assert [one.name for one in more[::2]] == ["gates, budget 0.9", "gates, budget 0.25"]
    assert [value.budget for value in values] == [0.9, 0.25]
    assert all(one.accuracy == values[0].accuracy for one in more[:2])
    # Gated inferences pay for their gates, uniform modes have none.
    free = dataclasses.replace(costs, gates=0.0)
    without, _ = compare_gates(subject, recipe, free, 1, lambda text, share: None)
    assert more[1].cost - without[1].cost == pytest.approx(costs.gates)
    assert told == sorted(told)


def test_without_a_report_the_forced_modes_are_compared_in_bit_operations(recipe: Recipe) -> None:
    above = compare_modes(subject_of(recipe, 40), recipe, None, lambda text, share: None)
    assert [one.name for one in above] == ["80.80", "40.40", "20.20"]
    assert {one.unit for one in above} == {BIT_OPERATIONS}


def test_gates_of_several_seeds_have_a_mean_of_the_same_images(recipe: Recipe, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report_of(UNIFORM)))
    costs = read_cycles(path, "tiny")
    trained = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        trained.append(trained_in(tmp_path / f"seed-{seed}", recipe))
    subject = subject_of(recipe, 60)
    above, values = compare_gates(subject, recipe, costs, 1, lambda text, share: None, trained)
    names = ("seed-1", "seed-2", "mean of seed-1, seed-2")
    assert [(one.budget, one.gates) for one in values] == [(budget, name) for budget in (0.9, 0.25) for name in names]
    assert [one.name for one in above[:6:2]] == [f"gates, budget 0.9, {name}" for name in names]
    for unit in (BIT_OPERATIONS, CYCLES):
        first, second, mean = [one for one in above if one.unit == unit][:3]
        for key in ("cost", "accuracy"):
            assert getattr(mean, key) == pytest.approx((getattr(first, key) + getattr(second, key)) / 2)
        assert mean.above.value == pytest.approx((first.above.value + second.above.value) / 2)
        assert sum(mean.mixture.values()) == pytest.approx(1)
    one, two, both = values[:3]
    assert both.permuted == pytest.approx((one.permuted + two.permuted) / 2)
    assert both.gained.value == pytest.approx((one.gained.value + two.gained.value) / 2)
    alone, _ = compare_gates(subject, recipe, None, 1, lambda text, share: None, trained[:1])
    assert [one.name for one in alone] == ["gates, budget 0.9, seed-1", "gates, budget 0.25, seed-1"]
    with pytest.raises(DimmerError, match="two of the gates have the same name"):
        compare_gates(subject, recipe, None, 1, lambda text, share: None, [trained[0], trained[0]])


def test_gates_of_one_budget_are_compared_at_that_one_as_they_were_trained(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = subject_of(recipe, 60)

    def measured(network: Network, data: Dataset, mode: Mode, norms: torch.Tensor) -> Measured:
        return Measured(subject.bit_operations(mode), np.full(len(data.test), 0.5), False)

    # The dearer the better, by as much: the whole chord is the envelope.
    monkeypatch.setattr(compared, "measured", measured)
    torch.manual_seed(1)
    skipping = trained_in(tmp_path / "skipping", recipe, only_budget=0.4, options=(8, 0), reference_bits=32)
    several = trained_in(tmp_path / "several", recipe)
    above, values = compare_gates(subject, recipe, None, 1, lambda text, share: None, [skipping, several])
    assert [(one.budget, one.gates) for one in values] == [(0.9, "several"), (0.4, "skipping"), (0.25, "several")]
    (one,) = [one for one in above if one.name == "gates, budget 0.4, skipping"]
    assert one.unit == "of the 32-bit super-net's bit-operations"
    # The dearest that can be chosen is a sixteenth of what counts as 1, and uniform modes are priced alike.
    macs = subject.network.cost()
    full = macs.fixed * 8**2 + sum(map(sum, macs.blocks)) * 32**2
    shared = sum(share * Mode.parse(name).bit_operations(macs) / full for name, share in one.mixture.items())
    assert one.cost == pytest.approx(shared)
    assert 0.03 < one.cost < 0.2


def test_gates_of_another_shape_have_no_cycles(recipe: Recipe, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report_of(UNIFORM)))
    costs, subject = read_cycles(path, "tiny"), subject_of(recipe, 60)
    trained = [trained_in(tmp_path / "wide", recipe, hidden=4), trained_in(tmp_path / "same", recipe)]
    above, _ = compare_gates(subject, recipe, costs, 1, lambda text, share: None, trained)
    units = {one.name.rpartition(", ")[2]: set[str]() for one in above}
    for one in above:
        units[one.name.rpartition(", ")[2]].add(one.unit)
    assert units == {"wide": {BIT_OPERATIONS}, "same": {BIT_OPERATIONS, CYCLES}}


def test_gates_of_another_network_are_refused(recipe: Recipe, tmp_path: Path) -> None:
    path = trained_in(tmp_path / "frozen", recipe)
    home = recipe.path.parent
    network = build("resnet", recipe.model.config).state_dict()
    save_tensors(home / CHECKPOINT, network, {"run": {**BACKBONE, "training": "of hours"}})
    with pytest.raises(DimmerError, match="these gates began with another network than tiny has; train them again"):
        compare_gates(subject_of(recipe, 60), recipe, None, 1, lambda text, share: None, [path])


@pytest.mark.parametrize("better", ["", "joint"])
def test_a_backbone_that_learnt_with_its_gates_runs_with_them_and_shares_time(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, better: str
) -> None:
    """Its own uniform modes are nulls beside the model's: whichever are the better ones on validation images count."""
    subject = subject_of(recipe, 60)
    torch.manual_seed(1)
    path = trained_in(tmp_path / "joint", recipe, only_budget=0.9, backbone_lr=0.01)
    with pytest.raises(DimmerError, match=r"joint/checkpoint\.safetensors"):
        compare_gates(subject, recipe, None, 1, lambda text, share: None, [path])
    learnt = build("resnet", recipe.model.config).state_dict()
    save_tensors(path.with_name(CHECKPOINT), learnt, {"run": BACKBONE})
    with pytest.raises(DimmerError, match="is not the network that learnt with these gates; put that one beside"):
        compare_gates(subject, recipe, None, 1, lambda text, share: None, [path])
    save_tensors(path.with_name(CHECKPOINT), learnt, {"run": load_gate_record(path).run.to_json()})
    ran: list[Network] = []

    def measured(network: Network, data: Dataset, mode: Mode, norms: torch.Tensor) -> Measured:
        own = network is subject.network
        return Measured(0.9 if own == (better == "") else 0.3, np.full(len(data.test), 0.5), False)

    def permuted(network: Network, test: Split, *_: object) -> Right:
        ran.append(network)
        return np.zeros(len(test))

    monkeypatch.setattr(compared, "measured", measured)
    monkeypatch.setattr(compared, "right_permuted", permuted)
    subject.found.clear()
    (above,), (value,) = compare_gates(subject, recipe, None, 1, lambda text, share: None, [path])
    assert {name.partition(" of ")[2] for name in above.mixture} == {better}
    assert value.gates == "joint"
    assert ran[0] is not subject.network
