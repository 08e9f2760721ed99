# SPDX-License-Identifier: Apache-2.0
"""A network of two inputs and two outputs: its files, its C and its mixed modes are exact; the whole road, too."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from dimmer.calibration.observe import observe_bounds
from dimmer.calibration.ranges import Range
from dimmer.errors import DimmerError
from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.exported import Exported
from dimmer.pipeline.conversion.float_model import float_models
from dimmer.pipeline.conversion.onnx import export_mode
from dimmer.pipeline.conversion.quantise import named, quantise
from dimmer.pipeline.conversion.recognise import recognise
from dimmer.pipeline.core.extras import missing_packages
from dimmer.pipeline.data.encoding import INPUT_OFFSET, INPUT_SCALE, to_input, to_int8
from dimmer.pipeline.hosted import load
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.deploy import deploy, range_group
from dimmer.pipeline.networks.sites import boundaries, positions
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.oracle.splice import splice
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.targets import load_target
from tests.firmware_gen.tflite_builder import Layers, pack
from tests.pipeline.networks.families.road import network
from tests.pipeline.test_cli import dimmer
from tests.pipeline.test_data_tutorial import INITS, write_data
from tests.several_ends import packed_inputs, resnet, write_project

MODES = ("88.88", "80.80")


def write_modes(folder: Path) -> list[ModeSource]:
    """Untrained modes as int8 files, calibrated on noise."""
    net, images = network("resnet", resnet()), packed_inputs(resnet().inputs, 64)
    ranges: dict[str, Range] = {"input": Range(-INPUT_OFFSET * INPUT_SCALE, (255 - INPUT_OFFSET) * INPUT_SCALE)}
    groups: dict[str, dict[str, str]] = {}
    for mode in MODES:
        deployed = deploy(net, Mode.parse(mode))
        groups[mode] = {}
        for site, seen in observe_bounds(deployed, [to_input(images)]).items():
            group = groups[mode][site] = range_group(deployed, site)
            old = ranges.get(group, Range(0.0, 0.1))
            if group != "input":
                ranges[group] = Range(min(old.low, seen.low), max(old.high, seen.high))
        export_mode(net, mode, {}, folder)
    float_models([folder / f"{mode}.onnx" for mode in MODES], folder)
    made = []
    for mode in MODES:
        source, exported = folder / f"{mode}.float.tflite", Exported.load(folder, mode)
        sites = recognise(source, exported.sites)
        own = {site: (ranges[group].low, ranges[group].high) for site, group in groups[mode].items()}
        path = folder / f"{mode}.tflite"
        path.write_bytes(named(quantise(source, sites, own), sites, list(exported.sites)))
        made.append(ModeSource(mode, path, boundaries(Mode.parse(mode))))
    return made


def two_by_hand(path: Path, stretch: float) -> ModeSource:
    """Two inputs that meet at a boundary, and two outputs behind it; modes differ in scales on both sides of it."""
    net = Layers(0)
    image, imu = (net.activation([1, size], 1 / 64, 0, name) for name, size in (("image", 24), ("imu", 10)))
    whole = net.activation([1, 8], 0.5, 3, "meeting")
    parts = [net.dense(image, 8), net.dense(imu, 8)]
    net.operator("ADD", parts, whole)
    inner = net.dense(whole, 8)
    for tensor in (*parts, inner):
        net.tensors[tensor].quantization.scale = [stretch * net.scale_of(tensor)]
    kind, kg = net.dense(inner, 2), net.dense(inner, 1)
    for tensor, name in ((kind, "kind"), (kg, "kg")):
        net.tensors[tensor].name = name
        # As of modes of one network.
        net.tensors[tensor].quantization.scale = [2.0]
        net.tensors[tensor].quantization.zeroPoint = [3]
    path.write_bytes(pack(net.model([image, imu], [kind, kg])))
    return ModeSource(path.stem, path, ("meeting",))


def test_modes_made_by_hand_are_exact_and_are_spliced(tmp_path: Path) -> None:
    sources = [two_by_hand(tmp_path / f"{name}.tflite", stretch) for name, stretch in (("bright", 1), ("dim", 2))]
    # With the boundaries of its sources, so that the mode changes within an inference.
    generate(sources, tmp_path / "firmware", name="hand")
    model = load(tmp_path / "firmware")
    codes = np.random.default_rng(5).integers(-128, 128, (50, 34)).astype(np.int8)
    modes = [model.run(codes, source.name).tobytes() for source in sources]
    assert modes == [reference_outputs(source.path, codes.tobytes()) for source in sources]
    named = model.run_named({"image": codes[:, :24], "imu": codes[:, 24:]}, "dim")
    assert list(named) == ["kind", "kg"]
    path, mixed = tmp_path / "mixed.tflite", {}
    for schedule in ((0, 0), (0, 1), (1, 0)):
        path.write_bytes(splice(sources, list(schedule)))
        mixed[schedule] = model.run(codes, schedule=[sources[mode].name for mode in schedule]).tobytes()
        assert mixed[schedule] == reference_outputs(path, codes.tobytes()), schedule
    assert mixed[0, 0] == modes[0]
    assert not {mixed[0, 1], mixed[1, 0]} & set(modes)


@pytest.mark.slow
def test_its_modes_have_its_names_and_their_c_is_exact(tmp_path: Path) -> None:
    sources = write_modes(tmp_path)
    for source in sources:
        graph = read_tflite(source.path)
        assert [part.tensor.name for part in graph.inputs] == ["image", "imu", "vector"]
        assert [part.tensor.name for part in graph.outputs] == ["kind", "kg"]
    # With the boundaries of its sources, so that the mode changes within an inference.
    generate(sources, tmp_path / "firmware", name="ends")
    model = load(tmp_path / "firmware")
    images = to_int8(packed_inputs(resnet().inputs, 100, seed=2)).reshape(100, -1)
    for source in sources:
        found = model.run(images, source.name)
        assert len(np.unique(found, axis=0)) > 50
        assert found.tobytes() == reference_outputs(source.path, images.tobytes())
    count = len(positions(Mode.parse(MODES[0])))
    assert model.positions == count
    modes = [model.run(images, source.name).tobytes() for source in sources]
    for changed in range(count + 1):
        schedule = [0] * changed + [1] * (count - changed)
        path = tmp_path / f"{changed}.tflite"
        path.write_bytes(splice(sources, schedule))
        mixed = model.run(images, schedule=[MODES[mode] for mode in schedule]).tobytes()
        assert mixed == reference_outputs(path, images.tobytes()), schedule
        if changed in (0, count):
            assert mixed == modes[0 if changed else 1]
        elif changed == 3:
            assert mixed not in modes


def test_targets_of_tvm_are_refused_before_the_training(tmp_path: Path) -> None:
    recipe = load_recipe(write_project(tmp_path))
    with pytest.raises(DimmerError, match=r"have one input and one output, and .* has several: build for"):
        BuildContext(recipe, load_target("linux-aarch64"), tmp_path)


@pytest.mark.slow
@pytest.mark.board("mps2-an386")
@pytest.mark.board("mps3-an547")
@pytest.mark.board("ethos-u55-128")
def test_a_project_of_two_inputs_and_outputs_goes_to_boards_exact(tmp_path: Path) -> None:
    write_data(tmp_path)
    (line,) = (line for line in INITS if "rig_data" in line)
    cache = str(tmp_path / "cache")
    done = dimmer(tmp_path, *shlex.split(line)[1:], DIMMER_CACHE=cache)
    assert done.returncode == 0, done.stderr
    assert "inputs: image [12,12,1], imu [1,32,3]\n  outputs: kind (2 classes), kg (values)" in done.stdout
    npu = () if missing_packages(["ethos-u-vela"]) else ("ethos-u55-128",)
    for target in ("mps2-an386", "mps3-an547", *npu):
        done = dimmer(tmp_path, "build", "--target", target, "--no-forecast", DIMMER_CACHE=cache)
        assert done.returncode == 0, done.stderr
        report = json.loads((tmp_path / "build" / "rig" / target / "report.json").read_text())
        assert len(report["modes"]) > 2
        for mode in report["modes"]:
            assert (mode["verify"]["samples"], mode["verify"]["mismatches"]) == (100, 0)
        assert [one["name"] for one in report["inputs"]] == ["image", "imu"]
        assert [one["name"] for one in report["outputs"]] == ["kind", "kg"]
        first = report["scores"][report["modes"][0]["name"]]
        assert [one["name"] for one in first["outputs"]] == ["kind", "kg"]
        assert first["figures"][0]["value"] > 0.8
    done = dimmer(tmp_path, "eval", DIMMER_CACHE=cache)
    assert done.returncode == 0, done.stderr
    assert all(text in done.stdout for text in ("kind: accuracy", "kg: MAE", "taken for"))
    assert dimmer(tmp_path, "package", "--format", "folder", "--core", "cortex-m4", DIMMER_CACHE=cache).returncode == 0
