# SPDX-License-Identifier: Apache-2.0
"""Arrays with several values a sample are inputs, several labels are outputs: a guess, and a recipe that reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.projects.ends import (
    given_inputs,
    given_outputs,
    input_of,
    labels_of,
    odd_orders,
    outputs_of,
    told_ends,
)
from dimmer.pipeline.projects.inspected import inspect_data, own_samples
from dimmer.pipeline.projects.recipes import recipe_text
from dimmer.pipeline.projects.told import Told
from dimmer.pipeline.recipe.recipe import load_recipe
from tests.own_data import cache

__all__ = ["cache"]

COUNT = 60


def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "vector": rng.standard_normal((COUNT, 5)).astype(np.float32),
        "image": rng.integers(0, 256, (COUNT, 8, 6, 1), np.uint8),
        "kind": np.arange(COUNT) % 3,
        "kg": rng.uniform(size=COUNT),
        "subject": np.arange(COUNT) % 12,
    }


def test_the_input_of_most_positions_is_the_first() -> None:
    assert list(given_inputs("rig", arrays(), ())) == ["image", "vector"]
    assert input_of("", "v", np.zeros((3, 7))).shape == (1, 1, 7)
    assert input_of("", "v", np.zeros((3, 7, 2))).shape == (1, 7, 2)
    with pytest.raises(DimmerError, match="'v' has 5 dimensions: give"):
        input_of("place", "v", np.zeros((3, 1, 1, 1, 1)))
    with pytest.raises(DimmerError, match="'2nd' as an input: its name must be a letter"):
        input_of("place", "2nd", np.zeros((3, 7)))


def test_arrays_of_another_length_are_no_inputs() -> None:
    given = {**arrays(), "codebook": np.zeros((1000, 4))}
    assert list(given_inputs("rig", {**given, "x": np.zeros((COUNT, 3))}, ())) == ["image", "vector", "x"]
    with pytest.raises(DimmerError, match=r"^rig: 'cube' has 5 dimensions"):
        given_inputs("rig", {"cube": np.zeros((3, 1, 1, 1, 1))}, ())


def test_what_numbers_samples_or_is_shorter_is_no_output(tmp_path: Path) -> None:
    beside = {
        "id": np.arange(COUNT),
        "sampleId": np.arange(COUNT),
        "recording_id": np.arange(COUNT),
        "timestamp": np.arange(COUNT) / 7,
        "start_timestamp": np.arange(COUNT) / 7,
        "classes": np.array(["none", "ring", "star"]),
    }
    given = {**arrays(), "time_to_failure": np.linspace(0, 9.5, COUNT), **beside}
    assert given_outputs(given, COUNT) == ("kind", "kg", "subject", "time_to_failure")
    np.savez(tmp_path / "rig.npz", **given)  # type: ignore[arg-type]
    section = inspect_data(str(tmp_path / "rig.npz"), Told())
    assert [one.name for one in section.outputs] == ["kind", "kg", "time_to_failure"]
    assert told_ends(section) == [
        "inputs: image [8,6,1], vector [1,1,5]",
        "outputs: kind (3 classes), kg (values), time_to_failure (values)",
    ]
    section = inspect_data(str(tmp_path / "rig.npz"), Told(label="kind"))
    assert told_ends(section)[1:] == ["output: kind (3 classes)"]


@pytest.mark.parametrize(
    ("name", "told"), [("target_vec", ""), ("y", ""), ("Label", ""), ("load", "load"), ("load", "kind,load")]
)
def test_labels_of_several_values_a_sample_are_refused(tmp_path: Path, name: str, told: str) -> None:
    given = {"x": np.zeros((COUNT, 9)), "kind": np.arange(COUNT) % 3, name: np.zeros((COUNT, 2))}
    np.savez(tmp_path / "rig.npz", **given)  # type: ignore[arg-type]
    with pytest.raises(DimmerError, match=rf"'{name}' is \[60,2\] .*put labels into arrays of their own"):
        inspect_data(str(tmp_path / "rig.npz"), Told(label=told))


def test_what_init_refuses_names_the_place_the_limit_and_the_way_out(tmp_path: Path) -> None:
    place = tmp_path / "rig.npz"
    np.savez(place, x=np.zeros((4, 5000)), z=np.zeros((4, 3)), y=np.arange(4) % 2)
    with pytest.raises(DimmerError, match=rf"^{place}: 'x' as an input: its channels must name 1 to 4,096 channels"):
        inspect_data(str(place), Told())
    np.savez(place, **arrays())  # type: ignore[arg-type]
    with pytest.raises(DimmerError, match=r"^--normal 0: anomalies are for one input and one output"):
        inspect_data(str(place), Told(normal="0"))


def test_an_input_whose_channels_may_be_another_dimension_is_told() -> None:
    shapes = {"camera": (3, 32, 32), "imu": (6, 50), "usual": (50, 6), "vector": (90,), "image": (8, 6, 1)}
    inputs = tuple(input_of("rig", name, np.zeros((4, *shape))) for name, shape in shapes.items())
    section = DataSection("python", "rig:load", classes=("a", "b"), label=("y",), inputs=inputs)
    assert odd_orders(section) == [
        "camera is taken for images of 3 x 32 with 32 channels: if it is [N,channels,H,W], put these last",
        "imu is taken for 6 time steps of 50 channels: if it is [N,channels,time], swap these two",
    ]
    assert odd_orders(replace(section, inputs=inputs[2:])) == []


def test_labels_are_classes_or_values() -> None:
    kind, kg = outputs_of({"what kind": ["a", "b", "a"], "kg": ["0.5", "1.25"]})
    assert (kind.name, kind.label, kind.task, kind.classes) == ("what_kind", ("what kind",), "classes", ("a", "b"))
    assert (kg.name, kg.label, kg.task, kg.classes) == ("kg", ("kg",), "values", ("kg",))
    assert labels_of(["2", "10", "1"]) == ("classes", ("1", "2", "10"))


def test_whole_numbers_are_classes_however_many_and_nan_is_no_label() -> None:
    numbers = [*map(str, range(26))]
    assert labels_of(numbers) == labels_of([*numbers, "nan", "-inf", ""]) == ("classes", tuple(numbers))
    assert labels_of(["b", "nan", "a", "infinity"]) == ("classes", ("a", "b", "infinity"))
    assert labels_of(["0.5", "1", "NaN"]) == ("values", ())
    assert labels_of(numbers, "values") == ("values", ())
    assert labels_of(["1.5", "2"], "classes") == ("classes", ("2", "1.5"))
    with pytest.raises(DimmerError, match="--task values: the label 'walk' is no number"):
        labels_of(["1", "walk"], "values")
    with pytest.raises(DimmerError, match=r"5,000 different labels, .* or say --task values"):
        labels_of([*map(str, range(5000))])
    with pytest.raises(DimmerError, match="there are 1 different labels"):
        labels_of(["1", "nan"])


def test_the_task_and_how_many_classes_are_always_told() -> None:
    section = DataSection("images", "d", classes=("a", "b"))
    assert told_ends(section) == ["output: the sub-folder (2 classes)"]
    assert told_ends(replace(section, task="anomaly")) == ["output: the sub-folder (anomaly: a of 2 classes is normal)"]
    values = DataSection("python", "m:f", "values", ("kg",), window=3, channels=("x",), label=("kg",))
    assert told_ends(values) == ["output: kg (values)"]


def check_recipe(folder: Path, section: DataSection) -> None:
    path = folder / "models" / "rig"
    own = own_samples(section.path, Told(label=",".join(section.label)), path)
    path.mkdir(parents=True)
    (path / "recipe.toml").write_text(recipe_text(own))
    found = load_recipe(path / "recipe.toml").model
    assert (found.data.inputs, found.data.outputs) == (section.inputs, section.outputs)
    assert found.config.split_outputs == tuple(one.elements for one in section.outputs)


def test_an_npz_file_of_several_arrays(tmp_path: Path, cache: Path) -> None:
    np.savez(tmp_path / "rig.npz", **arrays())  # type: ignore[arg-type]
    section = inspect_data(str(tmp_path / "rig.npz"), Told())
    assert [(one.name, one.shape) for one in section.inputs] == [("image", (8, 6, 1)), ("vector", (1, 1, 5))]
    assert [(one.name, one.task) for one in section.outputs] == [("kind", "classes"), ("kg", "values")]
    assert section.group == "subject"
    check_recipe(tmp_path, section)


def test_several_columns_of_a_table(tmp_path: Path, cache: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [f"{x:.3f},{n // 16 % 2},{n / 7:.2f}" for n, x in enumerate(rng.standard_normal(960))]
    (tmp_path / "load.csv").write_text("\n".join(["force,state,kg", *rows]))
    section = inspect_data(str(tmp_path / "load.csv"), Told(label="state,kg", window=16))
    assert (section.channels, section.inputs) == (("force",), ())
    assert [(one.name, one.task) for one in section.outputs] == [("state", "classes"), ("kg", "values")]
    own = own_samples(str(tmp_path / "load.csv"), Told(label="state,kg", window=16), tmp_path / "models" / "x")
    # A window ends where the state changes, not with every value.
    assert own.samples == 60


def test_a_label_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    np.savez(tmp_path / "rig.npz", **arrays())  # type: ignore[arg-type]
    with pytest.raises(DimmerError, match="has no array for the classes: name one with --label"):
        inspect_data(str(tmp_path / "rig.npz"), Told(label="kind,colour"))
