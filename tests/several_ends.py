# SPDX-License-Identifier: Apache-2.0
"""A network with two inputs and two outputs: its data, its recipe, its configuration."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from dimmer.pipeline.data.ends import InputSection, OutputSection
from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.networks.families.ds_cnn_config import DSCNNConfig
from dimmer.pipeline.networks.families.resnet1d_config import ResNet1dConfig
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from tests.own_data import TRAIN

INPUTS = (InputSection("image", ("grey",), size=(6, 4)), InputSection("imu", ("ax", "ay"), window=5))
OUTPUTS = (
    OutputSection("kind", ("none", "ring")),
    OutputSection("kg", task="values", units=("kg",), weight=0.5, decides=False),
)
SECTION = DataSection("python", "two_data:load", inputs=INPUTS, outputs=OUTPUTS)

SOURCE = """
import numpy as np


def load():
    rng = np.random.default_rng(0)
    kind, kg = np.arange({count}) % 2, rng.uniform(0.0, 10.0, {count})
    image = rng.integers(0, 100, ({count}, 6, 4, 1), dtype=np.uint8)
    image[kind == 1, 2:4, 1:3] += 100
    imu = 0.1 * rng.standard_normal(({count}, 5, 2)) + kg[:, None, None] * np.array([1.0, -2.0])
    return {{"image": image, "imu": imu, "kind": np.where(kind, "ring", "none"), "kg": kg}}
"""

RECIPE = (
    """
[model]
family = "resnet"
dataset = "own"
mandatory = [1, 1]
skippable = [1, 1]
widths = [4, 6]

[data]
kind = "python"
path = "two_data:load"

[[data.inputs]]
name = "image"
size = [6, 4]
channels = ["grey"]

[[data.inputs]]
name = "imu"
window = 5
channels = ["ax", "ay"]

[[data.outputs]]
name = "kind"
classes = ["none", "ring"]

[[data.outputs]]
name = "kg"
task = "values"
units = ["kg"]
weight = 0.5
decides = false
"""
    + TRAIN
)


def write_project(folder: Path, count: int = 60) -> Path:
    """The recipe, beside its data, which other tests have as a module of this name."""
    sys.modules.pop("two_data", None)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "two_data.py").write_text(SOURCE.format(count=count))
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE)
    return recipe


def one_output(section: str = "", bits: str = "[8]") -> str:
    """The recipe with one output of classes, and a section more."""
    start, end = RECIPE.index("[[data.outputs]]"), RECIPE.index("[train]")
    one = f"{RECIPE[:start]}{section}\n{RECIPE[end:]}".replace("[model]", f"[model]\nbits = {bits}")
    path = 'path = "two_data:load"'
    return one.replace(path, f'{path}\nclasses = ["none", "ring"]\nlabel = ["kind"]')


def resnet() -> ResNetConfig:
    """An image, a series and a vector; two outputs."""
    shapes = ((6, 4, 1), (1, 5, 2), (1, 1, 9))
    return ResNetConfig(
        (1, 1), (1, 1), (4, 6), 1, (6, 4), 5, (8,), shapes, (2, 3), ("image", "imu", "vector"), ("kind", "kg")
    )


def vectors() -> ResNetConfig:
    """Two vectors and one output."""
    return ResNetConfig((1,), (1,), (8,), 7, (1, 1), 3, (8,), ((1, 1, 7), (1, 1, 2)), (), ("a", "b"), ())


def series() -> ResNet1dConfig:
    """Two series of different rates; two outputs."""
    return ResNet1dConfig(
        *((1, 1), (1, 1), (4, 6), 2, (1, 32), 4, (8,), ((1, 32, 2), (1, 9, 3)), (2, 2), ("fast", "slow"), ("a", "b"))
    )


def keywords() -> DSCNNConfig:
    """An image of a feature's rows and an image of two rows; one output."""
    return DSCNNConfig(
        (1, 1), (1, 1), (4, 4), 1, (12, 8), 3, inputs=((12, 8, 1), (2, 2, 1)), input_names=("rows", "small")
    )


def packed_inputs(shapes: tuple[tuple[int, int, int], ...], count: int, seed: int = 1) -> np.ndarray:
    """uint8[count,1,1,D]."""
    size = sum(int(np.prod(shape)) for shape in shapes)
    return np.random.default_rng(seed).integers(0, 256, (count, 1, 1, size), np.uint8)
