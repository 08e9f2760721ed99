# SPDX-License-Identifier: Apache-2.0
"""Where each of several inputs and outputs lies, and what it is, as report.json has it."""

from __future__ import annotations

from pathlib import Path

from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.converted import Converted, ConvertedMode, converted_folder
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.reporting.ends import input_figures, output_figures
from dimmer.targets import load_target
from tests.firmware_gen.tflite_builder import Layers, pack
from tests.several_ends import write_project


def test_they_are_those_of_the_converted_file(tmp_path: Path) -> None:
    net = Layers(0)
    image, imu = net.activation([1, 6, 4, 1], 1 / 64, 0, "image"), net.activation([1, 1, 5, 2], 1 / 64, 0, "imu")
    kind, kg = (net.dense(net.reshape(one, [1, size]), made) for one, size, made in ((image, 24, 2), (imu, 10, 1)))
    context = BuildContext(load_recipe(write_project(tmp_path)), load_target("host"), tmp_path / "build")
    folder = converted_folder(context.build_dir)
    folder.mkdir(parents=True)
    (folder / "8.tflite").write_bytes(pack(net.model([image, imu], [kind, kg])))
    Converted(("all",), (ConvertedMode("8", "8.tflite", ()),)).save(folder)
    inputs, outputs = input_figures(context), output_figures(context)
    assert [(one.name, one.shape, one.offset) for one in inputs] == [
        ("image", (1, 6, 4, 1), 0),
        ("imu", (1, 1, 5, 2), 24),
    ]
    assert [one.scale for one in inputs] == [1 / 64, 1 / 64]
    assert inputs[1].channels == ("ax", "ay")
    assert [(one.shape, one.offset, one.task) for one in outputs] == [((1, 2), 0, "classes"), ((1, 1), 2, "values")]
    assert [(one.classes, one.units, one.weight, one.decides) for one in outputs] == [
        (("none", "ring"), (), 1.0, True),
        (("kg",), ("kg",), 0.5, False),
    ]


def test_of_one_there_are_none(tmp_path: Path) -> None:
    context = BuildContext(load_recipe("mnist5k-r14"), load_target("host"), tmp_path)
    assert input_figures(context) == ()
    assert output_figures(context) == ()
