# SPDX-License-Identifier: Apache-2.0
"""Arrays by their names are what lies in the buffers of a model of several inputs and outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.hosted import Model, load
from dimmer.pipeline.oracle.interpreter import reference_outputs
from tests.firmware_gen.networks import tiny_ends, tiny_resnet

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(-128, 128, (20, 4, 4, 3), np.int8)
CONTEXT = RNG.integers(-128, 128, (20, 12), np.int8)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ends") / "ends.tflite"
    made.write_bytes(tiny_ends())
    return made


@pytest.fixture(scope="module")
def model(path: Path) -> Model:
    return load(path)


def test_a_batch_by_names_is_what_the_interpreter_makes(model: Model, path: Path) -> None:
    assert [part.name for part in model.inputs] == ["image", "context"]
    found = model.run_named({"context": CONTEXT, "image": IMAGES})
    inputs = np.concatenate([IMAGES.reshape(20, -1), CONTEXT], 1)
    expected = np.frombuffer(reference_outputs(path, inputs.tobytes()), np.uint8).reshape(20, -1)
    for part in model.outputs:
        codes = np.ascontiguousarray(found[part.name]).reshape(20, -1).view(np.uint8)
        assert (codes == expected[:, part.place]).all(), part.name
    # The float output lies first, where it is aligned, and comes second.
    assert {part.dtype for part in model.outputs} == {"int8", "float32"}
    assert model.outputs[1].offset == 0


def test_values_become_codes_by_each_input_s_own_scale_and_back(model: Model) -> None:
    image, context = model.inputs
    given = {
        "image": image.scale * (IMAGES.astype(np.float32) - image.zero_point),
        "context": context.scale * (CONTEXT.astype(np.float32) - context.zero_point),
    }
    codes = model.run_named({"image": IMAGES, "context": CONTEXT})
    assert all((made == codes[name]).all() for name, made in model.run_named(given).items())
    values = model.run_named(given, dequantise=True)
    for part in model.outputs:
        if part.scale:
            expected = np.float32(part.scale) * (codes[part.name].astype(np.int32) - part.zero_point)
            assert np.allclose(values[part.name], expected)


def test_one_sample_has_no_batch(model: Model) -> None:
    batch = model.run_named({"image": IMAGES, "context": CONTEXT})
    one = model.run_named({"image": IMAGES[:1], "context": CONTEXT[:1]})
    for part in model.outputs:
        assert one[part.name].shape == part.shape[1:]
        assert (one[part.name] == batch[part.name][0]).all()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"image": IMAGES}, "the input 'context' is missing; give image, context"),
        ({"image": IMAGES, "context": CONTEXT, "x": CONTEXT}, "has no input 'x'; it has: image, context"),
        ({"image": IMAGES, "context": CONTEXT[:3]}, "the inputs image, context have 20, 3 samples"),
        ({"image": IMAGES[:, :3], "context": CONTEXT}, r"'image' has shape \[20, 3, 4, 3\], expected \[1, 4, 4, 3\]"),
        ({"image": IMAGES, "context": CONTEXT.astype(np.int32)}, "'context' is int32: give int8, or float32"),
        ({"image": IMAGES, "context": CONTEXT * np.float32(np.nan)}, "'context' holds values that are not numbers"),
    ],
)
def test_what_does_not_fit_is_one_line(model: Model, given: dict[str, Any], says: str) -> None:
    with pytest.raises(DimmerError, match=says):
        model.run_named(given)


def test_of_one_input_and_output_names_are_input_and_output(tmp_path: Path) -> None:
    path = tmp_path / "one.tflite"
    path.write_bytes(tiny_resnet())
    model = load(path)
    x = RNG.integers(-128, 128, (3, *model.input_shape[1:]), np.int8)
    assert (model.run_named({"input": x})["output"] == model.run(x)).all()
    with pytest.raises(DimmerError, match="has one input: give it the name 'input'"):
        model.run_named({"image": x})
