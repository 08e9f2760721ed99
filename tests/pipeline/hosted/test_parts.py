# SPDX-License-Identifier: Apache-2.0
"""Arrays by their names are what lies in the buffers of a model of several inputs and outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.data.scale import InputScale, JoinedScale
from dimmer.pipeline.hosted import Model, load
from dimmer.pipeline.hosted.parts import HostedPart, coded, joined
from dimmer.pipeline.oracle.interpreter import reference_outputs
from tests.firmware_gen.networks import tiny_ends, tiny_resnet
from tests.firmware_gen.tflite_builder import Layers, pack

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
        ({"image": IMAGES, "context": CONTEXT.astype(np.int32)}, "'context' is int32: give int8 codes, or float32"),
        ({"image": IMAGES, "context": CONTEXT * np.float32(np.nan)}, "'context' holds values that are not numbers"),
        (
            {"image": IMAGES, "context": [[1.0], [1.0, 2.0]]},
            "'context' cannot become an array .*: give numbers in rows",
        ),
        ([IMAGES, CONTEXT], "inputs are given by their names, as a dictionary, not as list"),
    ],
)
def test_what_does_not_fit_is_one_line(model: Model, given: Any, says: str) -> None:
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


def test_a_batch_of_none_gives_none(model: Model) -> None:
    found = model.run_named({"image": IMAGES[:0], "context": CONTEXT[:0]})
    assert {name: len(made) for name, made in found.items()} == dict.fromkeys(found, 0)
    assert [made.shape[1:] for made in found.values()] == [part.shape[1:] for part in model.outputs]


def test_a_batch_is_a_multiple_of_what_an_inference_takes() -> None:
    """Of C that this Dimmer has not generated: its reader takes one sample at a time."""
    parts = (HostedPart("rows", (3, 4), "int8", 1 / 64, 0, 0, 12), HostedPart("one", (1, 2), "int8", 1 / 64, 0, 12, 2))
    given = {"rows": np.zeros((6, 4), np.int8), "one": np.zeros((2, 2), np.int8)}
    assert joined("lamp", parts, given)[0].shape == (2, 14)
    given["rows"] = given["rows"][:4]
    with pytest.raises(
        DimmerError, match=r"^lamp: the input 'rows' has a batch of 4, and an inference takes 3: give a m"
    ):
        joined("lamp", parts, given)


def test_outputs_of_one_name_are_all_there(tmp_path: Path) -> None:
    path = tmp_path / "twice.tflite"
    net = Layers(1)
    first, second = net.activation([1, 6], name="a"), net.activation([1, 6], name="b")
    made = [net.elementwise(kind, first, second) for kind in ("MUL", "ADD")]
    for tensor in made:
        net.tensors[tensor].name = b"y"
    path.write_bytes(pack(net.model([first, second], made)))
    model = load(path)
    given = {name: RNG.integers(-128, 128, (5, 6), np.int8) for name in ("a", "b")}
    found = model.run_named(given)
    assert list(found) == [part.name for part in model.outputs] == ["y", "y_1"]
    expected = reference_outputs(path, np.concatenate([given["a"], given["b"]], 1).tobytes())
    assert np.concatenate(list(found.values()), 1).tobytes() == expected


def test_an_output_whose_first_side_is_no_batch_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "square.tflite"
    net = Layers(2)
    first, second = net.activation([1, 16], name="a"), net.activation([1, 16], name="b")
    path.write_bytes(pack(net.model([first, second], [net.reshape(net.elementwise("MUL", first, second), [4, 4])])))
    model = load(path)
    given = {name: RNG.integers(-128, 128, (3, 16), np.int8) for name in ("a", "b")}
    batch = model.run_named(given)["output"]
    one = model.run_named({name: x[:1] for name, x in given.items()})["output"]
    assert (batch.shape, one.shape) == ((3, 4, 4), (4, 4))
    assert (one == batch[0]).all()
    whole = model.run(np.concatenate([given["a"], given["b"]], 1)[:1])
    assert (whole.reshape(4, 4) == one).all()


def test_values_of_training_become_its_codes() -> None:
    shapes, rng = ((4, 3, 1), (1, 5, 2)), np.random.default_rng(3)
    scale = InputScale((-4.5, 0.3), (0.035, 0.001))
    parts = (
        HostedPart("image", (1, *shapes[0]), "int8", 1 / 64, 0, 0, 12),
        HostedPart("imu", (1, *shapes[1]), "int8", 1 / 64, 0, 12, 10, scale.offset, scale.step),
    )
    image = rng.integers(0, 256, (40, *shapes[0]), np.uint8)
    imu = rng.normal(0, 4, (40, 5, 2)).astype(np.float32)
    packed = np.concatenate([image.reshape(40, -1), imu.reshape(40, -1)], 1).reshape(40, 1, 1, -1)
    expected = to_int8(JoinedScale(shapes, (None, scale)).codes(packed.astype(np.float32)))
    found = coded("x", parts, {"image": image, "imu": imu})
    assert [made.shape for made in found.values()] == [(40, *shape) for shape in shapes]
    assert np.array_equal(joined("x", parts, found)[0], expected.reshape(40, -1))
    # As in C, what is no number has the lowest code.
    imu[0, 0] = np.nan, np.inf
    assert coded("x", parts, {"imu": imu})["imu"][0, 0, 0].tolist() == [-128, 127]
    for given, says in (
        ({"imu": imu.transpose(0, 2, 1)}, r"'imu' has shape \[40, 2, 5\], expected \[N,1,5,2\]"),
        ({"image": image / 255}, "'image' is float64 and has no measured values in training: give uint8 codes"),
        ({"sound": image}, "x has no input 'sound'; it has: image, imu"),
    ):
        with pytest.raises(DimmerError, match=says):
            coded("x", parts, given)


def test_inputs_without_a_scale_take_what_they_are_said_to_take() -> None:
    parts = (
        HostedPart("real", (1, 2), "float32", 0.0, 0, 0, 8),
        HostedPart("count", (1, 2), "int32", 0.0, 0, 8, 8),
    )
    count = np.array([[1, 2]], np.int32)
    for real in ([[0.5, 1.5]], np.array([[0.5, 1.5]])):
        buffer, single = joined("x", parts, {"real": real, "count": count})
        assert single
        assert buffer.tobytes() == np.array([0.5, 1.5], np.float32).tobytes() + count.tobytes()
    for given, says in (
        ({"real": count, "count": count}, "'real' is int32: give float32 values$"),
        ({"real": [[0.5, 1.5]], "count": [[0.5, 1.5]]}, "'count' is float64: give int32, which has no scale$"),
    ):
        with pytest.raises(DimmerError, match=says):
            joined("x", parts, given)
