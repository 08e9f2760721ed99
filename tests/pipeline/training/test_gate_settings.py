# SPDX-License-Identifier: Apache-2.0
"""What the training of gates depends on."""

import dataclasses

from dimmer.pipeline.artifacts.gate_record import load_gate_record
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.training.gate_settings import GateSettings
from dimmer.project import MODELS


def settings() -> GateSettings:
    return GateSettings.of(load_recipe("cifar10-r14"))


def test_the_shipped_gates_are_those_of_their_recipe() -> None:
    assert load_gate_record(MODELS / "cifar10-r14" / "gates.safetensors").run.gates == settings().hash()


def test_budgets_that_are_only_measured_train_nothing_anew_and_everything_else_does() -> None:
    given = settings()
    other = dataclasses.replace(given, gates=dataclasses.replace(given.gates, budgets=(0.5,)))
    assert other.hash() == given.hash()
    lower = dataclasses.replace(given, gates=dataclasses.replace(given.gates, lr=0.1))
    assert lower.hash() != given.hash()
    assert dataclasses.replace(given, training="another backbone").hash() != given.hash()
    alone = dataclasses.replace(given, gates=dataclasses.replace(given.gates, only_budget=0.5))
    assert alone.hash() != given.hash()


def test_the_modes_of_one_width_are_those_that_the_gates_choose_from() -> None:
    assert [str(mode) for mode in settings().uniform] == [
        "88.88.88",
        "80.80.80",
        "44.44.44",
        "40.40.40",
        "22.22.22",
        "20.20.20",
    ]
