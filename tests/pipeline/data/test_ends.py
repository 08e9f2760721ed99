# SPDX-License-Identifier: Apache-2.0
"""Several inputs and outputs of a recipe: what is given stands for what [data] says of one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.data.ends import InputSection, OutputSection, check_outputs
from dimmer.pipeline.data.own import SEVERAL, DataSection
from dimmer.pipeline.recipe.recipe import load_recipe
from tests.several_ends import INPUTS, OUTPUTS, RECIPE, SECTION, one_output, write_project


def test_shapes_of_images_series_and_vectors() -> None:
    assert INPUTS[0].shape == (6, 4, 1)
    assert INPUTS[1].shape == (1, 5, 2)
    assert InputSection("v", ("a", "b", "c")).shape == (1, 1, 3)
    assert SECTION.shape.image_shape == (1, 1, 34)
    assert (SECTION.shape.inputs, SECTION.shape.outputs, SECTION.shape.classes) == (((6, 4, 1), (1, 5, 2)), (2, 1), 3)


def test_outputs_stand_for_task_classes_and_labels() -> None:
    assert SECTION.task == SEVERAL
    assert SECTION.classes == ("kind: none", "kind: ring", "kg: kg")
    assert SECTION.label == ("kind", "kg")
    assert SECTION.parting == ("kind",)
    assert replace(SECTION, seed=3).outputs == OUTPUTS
    assert OutputSection("wet", ("rain", "snow"), "labels").label == ("rain", "snow")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"inputs": INPUTS[:1]}, "inputs"),
        ({"inputs": (INPUTS[0], INPUTS[0])}, "inputs"),
        ({"kind": "images", "table": "t.csv"}, "inputs"),
        ({"window": 3}, "window"),
        ({"channels": ("a",)}, "channels"),
        ({"size": (6, 4)}, "size"),
        ({"fit": "pad"}, "fit"),
        ({"colour": "grey"}, "colour"),
        ({"rate": 8000}, "rate"),
        ({"frame": 8}, "frame"),
        ({"rows": "windows"}, "rows"),
        ({"inputs": (*INPUTS, InputSection("imu_conv", ("a",)))}, "inputs"),
        ({"outputs": (OUTPUTS[0], replace(OUTPUTS[1], name="image_conv"))}, "outputs"),
        ({"outputs": (OUTPUTS[0], replace(OUTPUTS[1], name="imu_mean"))}, "outputs"),
        ({"outputs": (OUTPUTS[0], replace(OUTPUTS[1], name="imu_out"))}, "outputs"),
        ({"outputs": (OUTPUTS[0], replace(OUTPUTS[1], name="imu_sum"))}, "outputs"),
        ({"outputs": (OUTPUTS[0], replace(OUTPUTS[1], name="out_kind"))}, "outputs"),
        ({"outputs": OUTPUTS[:1]}, "outputs"),
        ({"outputs": (OUTPUTS[1], replace(OUTPUTS[1], name="other"))}, "outputs"),
        ({"outputs": (OUTPUTS[0], replace(OUTPUTS[1], name="image"))}, "outputs"),
        ({"task": "values", "outputs": OUTPUTS}, "task"),
        ({"classes": ("a", "b"), "outputs": OUTPUTS}, "classes"),
        ({"task": "anomaly", "classes": ("a", "b"), "outputs": ()}, "inputs"),
        ({"task": SEVERAL, "classes": ("a", "b"), "outputs": ()}, "task"),
    ],
)
def test_what_does_not_fit_names_its_key(change: dict[str, Any], key: str) -> None:
    given = {"kind": "python", "path": "two_data:load", "inputs": INPUTS, "outputs": OUTPUTS, **change}
    with pytest.raises(InvalidKeyError) as caught:
        DataSection(**given)
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda: InputSection("1st", ("a",)), "name"),
        (lambda: InputSection("stem", ("a",)), "name"),
        (lambda: InputSection("x", ("a", "a")), "channels"),
        (lambda: InputSection("x", ("a",), size=(3,)), "size"),
        (lambda: InputSection("x", ("a",), size=(3, 3), window=2), "window"),
        (lambda: OutputSection("y", ("a",)), "classes"),
        (lambda: OutputSection("y", ("a", "b"), "anomaly"), "task"),
        (lambda: OutputSection("y", ("a", "b"), label=("a", "b")), "label"),
        (lambda: OutputSection("y", ("a", "b"), units=("m", "s")), "units"),
        (lambda: OutputSection("y", task="values", tolerance=(0.0,)), "tolerance"),
        (lambda: OutputSection("y", ("a", "b"), weight=0.0), "weight"),
    ],
)
def test_an_end_that_does_not_fit_names_its_key(make: Any, key: str) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        make()
    assert caught.value.key == key


def test_one_has_to_decide() -> None:
    with pytest.raises(InvalidKeyError, match="must have one that decides"):
        check_outputs([replace(one, decides=False) for one in OUTPUTS], ())


def test_a_recipe_has_them_and_tells_the_line_of_a_mistake(tmp_path: Path) -> None:
    recipe = write_project(tmp_path)
    found = load_recipe(recipe)
    assert found.model.data == SECTION
    assert found.model.config.joined_inputs == ((6, 4, 1), (1, 5, 2))
    assert found.model.config.split_outputs == (2, 1)
    assert not {"inputs", "outputs", "input_names"} & set(found.model.keys())
    for old, new, says in (
        ("window = 5", "windows = 5", r"line 20: unknown key 'windows' in \[data.inputs.2\]"),
        ('name = "kg"', 'name = "logits"', r"line 28: data.outputs.2.name = 'logits': must be a letter"),
        ('family = "resnet"', 'family = "vit"', r"line 3: model.family = 'vit': .* take ds_cnn, resnet, resnet1d"),
        ("seed = 1", "seed = 1\n[train.augmentation]\npad = 1", "train.augmentation: is for one input"),
        ("[train]", "[gates]\nepochs = 1\n[train]", r"gates.epochs: \[gates\] is for one output; set it to 0"),
        ("[train]", '[features]\nkind = "image"\n[train]', r"line 35: features.kind = 'image': is for one input"),
        ('path = "two', 'rate = 8000\npath = "two', r"data.rate = 8000: must be left out: it says nothing of arrays"),
        ("[train]", "[polish]\nepochs = 1\n[train]", r"polish.epochs: \[polish\] is for one output"),
        ("[train]", "[features.detector]\nclasses = [1]\nthreshold = 0.5\n[train]", "a detector is for one input and"),
    ):
        assert old in RECIPE
        recipe.write_text(RECIPE.replace(old, new))
        with pytest.raises(DimmerError, match=says):
            load_recipe(recipe)


@pytest.mark.parametrize(
    ("bits", "section", "says"),
    [
        ("[8, 4]", "[qat]\nepochs = 1", r"qat.epochs: \[qat\] is for one input; leave model.bits out and set it to 0"),
        ("[8]", "[gates]\nepochs = 1\noptions = [8, 0]", r"gates.epochs: \[gates\] is for one input; set it to 0"),
        ("[8]", "[features.detector]\nclasses = [1]\nthreshold = 0.5", "a detector is for one input and one output"),
    ],
)
def test_narrow_bits_gates_and_detectors_are_for_one_input(tmp_path: Path, bits: str, section: str, says: str) -> None:
    recipe = write_project(tmp_path)
    recipe.write_text(one_output(section, bits))
    with pytest.raises(DimmerError, match=says):
        load_recipe(recipe)
