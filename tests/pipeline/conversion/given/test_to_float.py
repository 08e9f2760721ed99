# SPDX-License-Identifier: Apache-2.0
"""Every road to a float `.tflite`: Keras, SavedModel, ONNX, exported programs; what they cannot is one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.conversion.given import kinds
from dimmer.pipeline.conversion.given.observed import interpreter_of, run
from dimmer.pipeline.conversion.given.to_float import float_tflite, with_output_names, within_tolerance
from dimmer.pipeline.conversion.given.worker import FLOAT, make_float
from tests.pipeline.conversion.given.networks import external_onnx, samples, written
from tests.pipeline.conversion.given.networks import float_tflite as tiny


def made(path: Path, folder: Path) -> Any:
    make_float(path, kinds.kind_of(path), folder)
    return interpreter_of((folder / FLOAT).read_bytes())


def test_a_tflite_is_there_already(tmp_path: Path) -> None:
    assert float_tflite(written(tmp_path, tiny()), kinds.TFLITE, tmp_path) == tiny()


def test_outputs_are_called_as_in_the_file_that_was_given() -> None:
    """They were Identity and Identity_1."""
    (before,) = interpreter_of(tiny()).get_output_details()
    renamed = with_output_names(tiny(), ["score"])
    (found,) = interpreter_of(renamed).get_output_details()
    assert (found["name"], found["index"]) == ("score", before["index"])
    image = samples(1)[0]
    assert np.array_equal(run(interpreter_of(renamed), [image[0]])[0], run(interpreter_of(tiny()), [image[0]])[0])
    (source,) = interpreter_of(tiny()).get_input_details()
    (kept,) = interpreter_of(with_output_names(tiny(), [source["name"]])).get_output_details()
    assert kept["name"] == before["name"]


@pytest.mark.slow
def test_keras_and_saved_model(tmp_path: Path) -> None:
    import tensorflow as tf

    layers = tf.keras.layers
    source = tf.keras.Input((6, 6, 1), name="image")
    x = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(source))
    x = layers.GlobalAveragePooling2D()(layers.DepthwiseConv2D(3, strides=2, activation="relu")(x))
    model = tf.keras.Model(source, layers.Dense(3, activation="softmax")(x))
    images = samples(4)[0]
    wanted = model(images, training=False).numpy()
    model.save(tmp_path / "net.keras")
    model.export(str(tmp_path / "saved"), verbose=False)
    for name in ("net.keras", "saved"):
        folder = tmp_path / f"of-{name}"
        folder.mkdir()
        found = made(tmp_path / name, folder)
        assert np.allclose([run(found, [image])[0][0] for image in images], wanted, atol=1e-5)


@pytest.mark.slow
def test_onnx_and_exported_programs(tmp_path: Path) -> None:
    import torch
    from torch import nn

    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(1), nn.Linear(36, 3)
    ).eval()
    images = samples(4)[0]
    first = torch.tensor(images).permute(0, 3, 1, 2)
    wanted = net(first).detach().numpy()
    torch.export.save(torch.export.export(net, (first[:1],)), tmp_path / "net.pt2")
    torch.onnx.export(
        net, (first[:1],), str(tmp_path / "net.onnx"), dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n"}}
    )
    torch.onnx.export(net, (first[:2],), str(tmp_path / "two.onnx"), dynamo=False, input_names=["x"])
    for name in ("net.onnx", "net.pt2"):
        folder = tmp_path / f"of-{name}"
        folder.mkdir()
        found = made(tmp_path / name, folder)
        assert np.allclose([run(found, [image])[0][0] for image in images], wanted, atol=1e-4)
    with pytest.raises(DimmerError, match=r"^two\.onnx: input x has a batch of 2; export with 1$"):
        made(tmp_path / "two.onnx", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a.onnx", "is damaged or no ONNX file"),
        ("a.keras", "Keras cannot load it"),
        ("a.pt2", "torch cannot load it"),
        ("a.tflite", "is damaged or no .tflite file"),
    ],
)
def test_what_is_no_network_is_told_in_a_line(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(DimmerError, match=rf"^{name}: {why}") as caught:
        made(written(tmp_path, b"no network", name), tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("wanted", "found", "near"),
    [
        ([1.0, -2.0], [1.001, -2.0], True),
        ([1.0, -2.0], [1.003, -2.0], False),
        ([1.0, -2.0], [np.nan, -2.0], False),
        ([np.nan, -2.0], [1.0, -2.0], False),
        ([np.nan, -2.0], [np.nan, -2.0], True),
        ([np.inf, -2.0], [np.inf, -2.0], True),
        ([np.inf, -2.0], [-np.inf, -2.0], False),
        ([np.inf, -2.0], [np.inf, 5.0], False),
        ([np.nan, np.nan], [np.nan, np.nan], True),
    ],
)
def test_what_is_no_number_is_not_near_one(wanted: list[float], found: list[float], near: bool) -> None:
    assert within_tolerance(np.array(wanted, np.float32), np.array(found, np.float32)) is near


@pytest.mark.slow
def test_weights_in_a_file_beside_it(tmp_path: Path) -> None:
    path = external_onnx(tmp_path)
    (tmp_path / "out").mkdir()
    found = made(path, tmp_path / "out")
    given = np.arange(6, dtype=np.float32)[None]
    assert np.allclose(run(found, [given])[0], given[:, :3])
