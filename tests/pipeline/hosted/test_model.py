# SPDX-License-Identifier: Apache-2.0
"""What a loaded model computes is what the interpreter does, and what it refuses it says."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.hosted import Model, load
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from tests.firmware_gen.gated import expected_runs, random_gates
from tests.firmware_gen.modes import MODES, splice, write_modes
from tests.firmware_gen.networks import tiny_mix, tiny_resnet
from tests.firmware_gen.tflite_builder import Layers
from tests.pipeline.hosted.examples import GATE_SEED, modes_folder
from tests.pipeline.shared_models import KWS, RESNET

HALF = 50
"""Edge cases, and as many random inputs."""


def inputs_of(model: Model, path: Path, half: int = HALF) -> np.ndarray:
    codes = np.frombuffer(sample_inputs(path, half), model.input_dtype)
    return codes.reshape(2 * half, *model.input_shape[1:])


def check_exact(model: Model, mode: str, path: Path) -> None:
    inputs = inputs_of(model, path)
    outputs = model.run(inputs, mode)
    assert outputs.shape == (2 * HALF, *model.output_shape[1:])
    assert outputs.tobytes() == reference_outputs(path, inputs.tobytes())


@pytest.fixture
def tiny_model(tmp_path: Path) -> Model:
    path = tmp_path / "tiny.tflite"
    path.write_bytes(tiny_resnet())
    return load(path)


@pytest.fixture
def blocks(tmp_path: Path) -> Model:
    return load(modes_folder(tmp_path))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_copy_is_loaded_and_not_made(tiny_model: Model, duplicate: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match=r"model tiny can be neither copied nor pickled: .* dimmer\.load it there"):
        duplicate(tiny_model)


def test_every_mode_is_exact(tmp_path: Path) -> None:
    sources = write_modes(tmp_path)
    model = load([source.path for source in sources])
    assert model.modes == tuple(MODES)
    for source in sources:
        check_exact(model, source.name, source.path)


@pytest.mark.shared
@pytest.mark.parametrize("path", [KWS, RESNET], ids=["kws", "resnet"])
def test_models_from_elsewhere_are_exact(path: Path) -> None:
    model = load(path)
    assert (model.name, model.modes) == (path.stem, (path.stem,))
    check_exact(model, path.stem, path)


def test_two_models_take_turns(tmp_path: Path, tiny_model: Model, blocks: Model) -> None:
    one, other = inputs_of(tiny_model, tmp_path / "tiny.tflite", 5), inputs_of(blocks, tmp_path / "sources/888.tflite")
    together = [(tiny_model.run(one[i : i + 1]), blocks.run(other[i : i + 1])) for i in range(len(one))]
    assert np.concatenate([a for a, _ in together]).tobytes() == tiny_model.run(one).tobytes()
    assert np.concatenate([b for _, b in together]).tobytes() == blocks.run(other[: len(one)]).tobytes()


def test_modes_change_within_an_inference(tmp_path: Path, blocks: Model) -> None:
    inputs = inputs_of(blocks, tmp_path / "sources/888.tflite", 5)
    names = list(MODES)
    assert blocks.positions == 5
    for plan in ((0, 0, 1, 2, 2), (2, 1, 0, 0, 1), (1, 1, 2, 1, 0)):
        outputs = blocks.run(inputs, schedule=[names[mode] for mode in plan])
        path = tmp_path / "spliced.tflite"
        path.write_bytes(splice(plan))
        assert outputs.tobytes() == reference_outputs(path, inputs.tobytes())
        assert blocks.ran == tuple(names[mode] for mode in plan)
    assert blocks.mode == names[0]


def test_gates_choose(tmp_path: Path) -> None:
    model = load(modes_folder(tmp_path, gated=True))
    assert model.modes == (*MODES, "gated")
    rng = np.random.default_rng(2)
    images = rng.integers(-128, 128, (60, *model.input_shape[1:])).astype(np.int8)
    images[::2] = rng.integers(-128, 128, (30, 1, 1, 3))
    levels = rng.integers(0, 256, 60)
    work = tmp_path / "expected"
    work.mkdir()
    outputs, bits, plans = expected_runs(random_gates(GATE_SEED), images, levels, work)
    assert len(plans) > 3
    for image, level, output, chosen in zip(images, levels.tolist(), outputs, bits, strict=True):
        found = model.run(image[None], "gated", level=level)
        assert found.tobytes() == output.tobytes()
        assert model.bits == tuple(chosen)
    model.run(images[:1], "888")
    assert model.bits == (None, None, None)


def test_the_battery_brings_the_gates_their_level(tmp_path: Path) -> None:
    model = load(modes_folder(tmp_path, gated=True))
    image = np.full(model.input_shape, 3, np.int8)
    with_level = {level: model.run(image, "gated", level=level).tobytes() for level in (51, 255)}
    assert with_level[255] == model.run(image, "gated").tobytes()
    assert model.report_battery(charge_permille=900, millivolts=3900, time_s=0) == "gated"
    assert model.run(image).tobytes() == with_level[51]
    assert model.run(image, "gated", level=255).tobytes() == with_level[255]
    assert model.run(image).tobytes() == with_level[51]


def test_the_battery_chooses_the_mode(tmp_path: Path, blocks: Model) -> None:
    names = list(MODES)
    image = inputs_of(blocks, tmp_path / "sources/888.tflite", 1)[:1]
    by_mode = {name: blocks.run(image, name).tobytes() for name in names}

    def report(charge: int, millivolts: int, time_s: int) -> str:
        return blocks.report_battery(charge_permille=charge, millivolts=millivolts, time_s=time_s)

    assert report(1000, 4100, 0) == names[0] == blocks.mode
    assert report(500, 3600, 4000) == names[1]
    assert blocks.run(image).tobytes() == by_mode[names[1]]
    assert blocks.ran == (names[1],) * 5
    assert report(500, 3400, 4010) == names[2]
    # Brighter needs more charge, for its time, and no jump.
    assert report(410, 3600, 5000) == names[2]
    assert report(430, 3600, 5000) == names[2]
    assert report(430, 3600, 5060) == names[1]
    assert report(1000, 4100, 5061) == names[1]
    # A call's own mode does not stay.
    assert blocks.run(image, names[2]).tobytes() == by_mode[names[2]]
    assert blocks.mode == names[1]
    blocks.mode = names[0]
    assert blocks.run(image).tobytes() == by_mode[names[0]]


def test_real_values_become_codes_and_back(tiny_model: Model) -> None:
    scale, zero = tiny_model.input_scale, tiny_model.input_zero_point
    steps = np.array([0.0, 0.5, -0.5, 1.49, -1.5, 1e9, -1e9, np.inf])
    expected = np.array([0, 1, -1, 1, -2, 127 - zero, -128 - zero, 127 - zero]) + zero
    x = np.resize(steps, tiny_model.input_shape) * scale
    codes = tiny_model.quantise(x)
    assert codes.dtype == np.int8
    np.testing.assert_array_equal(codes.reshape(-1)[: len(steps)], expected)
    output = tiny_model.run(codes)
    assert output.shape == tiny_model.output_shape
    np.testing.assert_array_equal(tiny_model.run(x), output)
    np.testing.assert_array_equal(tiny_model.run(x.tolist()), output)
    real = tiny_model.run(x.astype(np.float32), dequantise=True)
    assert real.dtype == np.float32
    np.testing.assert_allclose(real, (output.astype(int) + 128) / 256)


def test_a_model_with_real_ends(tmp_path: Path) -> None:
    path = tmp_path / "mix.tflite"
    path.write_bytes(tiny_mix())
    model = load(path)
    assert (model.input_dtype, model.output_dtype) == ("float32", "float32")
    check_exact(model, "mix", path)
    with pytest.raises(DimmerError, match=r"^mix: the input is int8: give float32 values$"):
        model.run(np.zeros(model.input_shape, np.int8))


def test_a_model_of_whole_numbers(tmp_path: Path) -> None:
    net = Layers(0)
    x = net.tensor("numbers", [1, 4], "int32")
    path = tmp_path / "numbers.tflite"
    path.write_bytes(net.build(x, net.operator("CAST", [x], net.tensor("y", [1, 4], "int8"))))
    model = load(path)
    assert (model.input_dtype, model.output_dtype) == ("int32", "int8")
    check_exact(model, "numbers", path)
    with pytest.raises(DimmerError, match=r"^numbers: the input is float64: give int32, which has no scale$"):
        model.run(np.zeros(model.input_shape))


def test_a_batch_of_none_and_one_that_is_not_contiguous(tiny_model: Model) -> None:
    codes = np.random.default_rng(0).integers(-128, 128, (6, *tiny_model.input_shape[1:]), np.int8)
    np.testing.assert_array_equal(tiny_model.run(codes[::2]), tiny_model.run(codes)[::2])
    assert tiny_model.run(codes[:0]).shape == (0, *tiny_model.output_shape[1:])


def test_threads_wait_for_each_other(tiny_model: Model) -> None:
    codes = np.random.default_rng(0).integers(-128, 128, (40, *tiny_model.input_shape[1:]), np.int8)
    expected = tiny_model.run(codes)
    found: list[bool] = []

    def check() -> None:
        found.extend(bool((tiny_model.run(codes[i : i + 1]) == expected[i]).all()) for i in range(len(codes)))

    threads = [threading.Thread(target=check) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 160


ZEROS = np.zeros((1, 10, 10, 3), np.int8)
WRONG: list[tuple[Callable[[Model], Any], str]] = [
    (lambda m: m.run(ZEROS, "777"), r"^blocks has no mode '777'; it has: 888, 880, 800$"),
    (lambda m: m.run(ZEROS, "gated"), r"has no mode 'gated'"),
    (lambda m: setattr(m, "mode", "x"), r"has no mode 'x'"),
    (lambda m: m.run(ZEROS[0]), r"has shape \[10,10,3\], expected \[1,10,10,3\], or a batch \[N,10,10,3\]$"),
    (lambda m: m.run(ZEROS[:, :9]), r"has shape \[1,9,10,3\]"),
    (lambda m: m.run(np.array(3, np.int8)), r"has shape \[\]"),
    (lambda m: m.run(ZEROS.astype(np.uint8)), r"is uint8: give int8 codes, or float32 values \(scale 0\.0156"),
    (lambda m: m.run(ZEROS.tolist()), r"the input is int64: give int8 codes"),
    (lambda m: m.run(np.full(ZEROS.shape, np.nan)), r"values that are not numbers \(NaN\)$"),
    (lambda m: m.run(ZEROS, schedule=["888"] * 4), r"names 4 modes, blocks has 5 positions$"),
    (lambda m: m.run(ZEROS, schedule="888"), r"names 1 modes"),
    (lambda m: m.run(ZEROS, schedule=["888"] * 4 + ["77"]), r"has no mode '77'"),
    (lambda m: m.run(ZEROS, "888", schedule=["888"] * 5), r"^a mode and a schedule were given"),
    (lambda m: m.run(ZEROS, np.array(["888", "880"])), r"has no mode array"),  # type: ignore[arg-type]
    (lambda m: m.run(ZEROS, ["888"]), r"has no mode \['888'\]"),  # type: ignore[arg-type]
    (lambda m: setattr(m, "mode", np.array(["888", "880"])), r"has no mode array"),
    (lambda m: m.run(ZEROS, schedule=5), r"^a schedule names modes, such as \['888', \.\.\.\]; it is 5$"),  # type: ignore[arg-type]
    (lambda m: m.run(ZEROS, schedule=[5] * 5), r"has no mode 5;"),  # type: ignore[list-item]
    (lambda m: m.run([[1, 2], [3]]), r"the input cannot become an array \(.*\): give numbers in rows of one length$"),
    (lambda m: m.run(None), r"has shape \[\]"),  # type: ignore[arg-type]
    (lambda m: m.quantise([[1.0, 2.0], [3.0]]), r"the input cannot become an array"),
    (lambda m: m.dequantise([[1], [1, 2]]), r"the output cannot become an array"),
    (lambda m: m.dequantise(np.array([None])), r"the output is object: give numbers$"),
    (lambda m: m.quantise("dark"), r"the input is <U4: give numbers$"),
    (lambda m: m.run_named(None), r"by their names, as a dictionary, not as NoneType$"),  # type: ignore[arg-type]
    (lambda m: m.run_named({"input": [[1], [1, 2]]}), r"the input cannot become an array"),
    (lambda m: m.run(ZEROS, level=3), r"^a level is the budget of gates"),
    (lambda m: m.report_battery(charge_permille=1001, millivolts=1, time_s=0), r"^charge_permille = 1001: must be"),
    (lambda m: m.report_battery(charge_permille=1, millivolts=-1, time_s=0), r"^millivolts = -1: must be a whole"),
    (lambda m: m.report_battery(charge_permille=1, millivolts=1, time_s=0.5), r"^time_s = 0.5: must"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("call", "message"), WRONG, ids=range(len(WRONG)))
def test_wrong_calls_are_one_line(call: Callable[[Model], Any], message: str, blocks: Model) -> None:
    before = blocks.mode
    with pytest.raises(DimmerError, match=message) as caught:
        call(blocks)
    assert "\n" not in str(caught.value)
    assert blocks.mode == before


@pytest.mark.filterwarnings("error")
def test_values_beyond_every_float_saturate(tiny_model: Model, tmp_path: Path) -> None:
    far = np.full(tiny_model.input_shape, 1e300)
    assert (tiny_model.run(far) == tiny_model.run(np.full(far.shape, 127, np.int8))).all()
    assert (tiny_model.quantise(-far) == -128).all()


def test_a_schedule_is_any_row_of_names(blocks: Model) -> None:
    expected = blocks.run(ZEROS, "880")
    for schedule in (("880",) * 5, np.array(["880"] * 5), iter(["880"] * 5)):
        assert (blocks.run(ZEROS, schedule=schedule) == expected).all()  # type: ignore[arg-type]


def test_gates_have_their_own_errors(tmp_path: Path) -> None:
    model = load(modes_folder(tmp_path, gated=True))
    with pytest.raises(DimmerError, match=r"^level = 256: must be a whole number, 0 to 255$"):
        model.run(ZEROS, "gated", level=256)
    with pytest.raises(DimmerError, match=r"^'gated' is a mode of whole inferences"):
        model.run(ZEROS, schedule=["gated"] * 5)


def test_one_mode_has_no_policy(tiny_model: Model) -> None:
    with pytest.raises(DimmerError, match=r"^tiny has no battery policy"):
        tiny_model.report_battery(charge_permille=1, millivolts=1, time_s=0)
