# SPDX-License-Identifier: Apache-2.0
"""Every task has its scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dimmer.pipeline.data.ends import OutputSection
from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.data.packed import heads_of, packed
from dimmer.pipeline.data.prepare import prepared
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.networks.tasks import right
from dimmer.pipeline.verification.evaluation import ValueUnit, value_units, worst_samples
from dimmer.pipeline.verification.scoring import scores_of
from tests.own_data import cache, own
from tests.several_ends import SECTION, write_project

__all__ = ["cache"]


def test_values_have_their_units(tmp_path: Path, cache: Path) -> None:
    x = np.random.default_rng(0).standard_normal((40, 8, 1)).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=x, load=np.arange(40))
    section = DataSection("windows", "x.npz", "values", ("load",), ("kg",), window=8, channels=("a",), label=("load",))
    data = own(tmp_path, section)
    test = load_dataset(data).test
    found = scores_of(data, test.labels, test.labels, ("load",))
    assert (found.figures[0].value, found.figures[1].value, found.figures[1].unit) == (1, 0, "kg")


def test_targets_tell_the_task() -> None:
    labels = scores_of("mnist5k", np.array([[1.0, -1.0]]), np.array([[1, 0]], np.uint8), ("red", "wet"))
    assert labels.figures[0].name == "accuracy, all labels"
    classes = scores_of("mnist5k", np.array([[1.0, -1.0]]), np.array([0]), ("a", "b"))
    assert classes.confusion == ((1, 0), (0, 0))


def test_several_outputs_each_have_their_scores_and_the_worst_their_words(tmp_path: Path, cache: Path) -> None:
    data = own(write_project(tmp_path).parent, SECTION)
    loaded = load_dataset(data)
    test = loaded.test
    kind, kg = heads_of(test.labels[0])
    outputs = np.concatenate([np.eye(2)[kind.truth(test.labels)], kg.truth(test.labels)], 1)
    # The first is wrong in what decides, the second in what does not.
    outputs[0, :2] = outputs[0, 1::-1]
    outputs[1, 2] += 5
    found = scores_of(data, outputs, test.labels, loaded.classes)
    assert found.figures[0].value == 1 - 1 / len(test)
    classes, values = found.outputs
    assert (classes.name, classes.figures[0].value) == ("kind", 1 - 1 / len(test))
    assert sum(map(sum, classes.confusion)) == len(test)
    assert (values.figures[0].value, values.figures[1].unit) == (1 - 1 / len(test), "kg")
    names = tuple(map(str, range(len(test))))
    (worst,) = worst_samples(outputs, test.labels, loaded.classes, right(outputs, test.labels), names, None)
    assert (worst.name, worst.by) == ("0", 1.0)
    assert {worst.truth.split("; ")[0], worst.said.split("; ")[0]} == {"none", "ring"}
    # Values are told in their unit.
    facts = prepared(data).facts
    (worst,) = worst_samples(
        outputs, test.labels, loaded.classes, right(outputs, test.labels), names, None, value_units(data)
    )
    kilos = facts.mean[0] + facts.tolerance[0] * float(kg.truth(test.labels)[0, 0])
    assert 0 < kilos < 10
    assert worst.truth.split("; ")[1] == f"{kilos:.3g} kg"


def test_the_worst_of_several_outputs_count_what_is_wrong_beside_the_most_wrong_there() -> None:
    outputs = (OutputSection("kind", ("a", "b")), OutputSection("kg", task="values", units=("kg",)))
    targets = packed(outputs, np.array([[0, 0.0], [0, 0.0], [0, 0.0], [0, 0.0]]))
    # A small gap of logits at a class; values wrong by 4 and 2 tolerances; and one within its tolerance.
    said = np.array([[0.0, 0.1, 0.9], [1.0, 0.0, 4.0], [1.0, 0.0, 2.0], [9.0, 0.0, 0.5]])
    found = right(said, targets)
    assert found.tolist() == [False, False, False, True]
    units = (ValueUnit(5.0, 0.5, "kg"),)
    worst = worst_samples(said, targets, ("kind: a", "kind: b", "kg: kg"), found, tuple("0123"), None, units)
    assert [(one.name, one.by) for one in worst] == [("0", 1.0), ("1", 1.0), ("2", 0.5)]
    assert [(one.truth, one.said) for one in worst] == [
        ("a; 5 kg", "b; 5.45 kg"),
        ("a; 5 kg", "a; 7 kg"),
        ("a; 5 kg", "a; 6 kg"),
    ]
    (first, *_) = worst_samples(said, targets, ("kind: a", "kind: b", "kg: kg"), found, tuple("0123"), None)
    assert first.said == "b; +0.9 tolerances"
