# SPDX-License-Identifier: Apache-2.0
"""Blocks of 4 and 2 bits in ordinary .tflite files, from a network trained for one epoch."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from dimmer.calibration.weights import SLICES, UNITS
from dimmer.pipeline.artifacts.calibration import Calibration, Statistics, calibration_folder
from dimmer.pipeline.artifacts.converted import mode_sources
from dimmer.pipeline.artifacts.trained import load_network
from dimmer.pipeline.conversion.narrow import packed_int4
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.networks.deployed import DeployedBlock, DeployedNetwork
from dimmer.pipeline.networks.layers.quantisers import activation_step
from tests.tiny import TinyBuild

pytestmark = pytest.mark.xdist_group("tiny_narrow")

Details = Mapping[str, Any]


def reference(content: bytes) -> Any:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    loaded = Interpreter(
        model_content=content,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
    )
    loaded.allocate_tensors()
    return loaded


def loaded(build: TinyBuild, mode: str) -> tuple[Any, dict[str, Details]]:
    path = next(source.path for source in mode_sources(build.build / "convert") if source.name == mode)
    interpreter = reference(path.read_bytes())
    return interpreter, {d["name"]: d for d in interpreter.get_tensor_details()}


def codes_of(content: bytes, name: str) -> np.ndarray:
    """int8 codes of an INT4 constant, unpacked."""
    from dimmer.pipeline.oracle.tflite import unpack

    model = unpack(content)
    tensor = next(t for t in model.subgraphs[0].tensors if t.name.decode() == name)
    packed = np.asarray(model.buffers[tensor.buffer].data, np.uint8)
    nibbles = np.stack([packed & 15, packed >> 4], 1).reshape(-1)[: int(np.prod(tensor.shape))]
    return (((nibbles ^ 8).astype(np.int8)) - 8).reshape(tensor.shape)


def test_published_are_the_forced_modes_and_none_beyond_the_limit(tiny_narrow: TinyBuild) -> None:
    calibration = Calibration.load(calibration_folder(tiny_narrow.build))
    published = calibration.published
    assert {"88.88", "80.80", "44.44", "22.20", "84.20"} <= set(published)
    assert len(published) == 6
    costs = {mode.name: mode.bit_operations for mode in calibration.modes}
    assert list(published) == sorted(published, key=lambda name: -costs[name])
    assert {"44.80", "22.80"}.isdisjoint(costs), "mixed widths come from the search alone"


@pytest.mark.parametrize("mode", ["44.44", "22.20", "84.20"])
def test_narrow_tensors_lie_on_the_grid_of_their_width(tiny_narrow: TinyBuild, mode: str) -> None:
    interpreter, details = loaded(tiny_narrow, mode)
    image = np.random.default_rng(0).integers(-128, 128, (1, 28, 28, 1), dtype=np.int8)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    for s, stage in enumerate(Mode.parse(mode).blocks):
        for b, bits in enumerate(stage):
            if bits in (4, 2):
                for part in ("in", "conv1"):
                    detail = details[f"{s}.{b}.{part}"]
                    assert detail["quantization"] == (pytest.approx(6 / (2**bits - 1)), -128)
                    values = interpreter.get_tensor(detail["index"]).astype(int)
                    assert values.min() >= -128
                    assert values.max() <= -128 + 2**bits - 1
            elif bits:
                assert f"{s}.{b}.in" not in details
            if bits:
                assert details[f"{s}.{b}.out"]["quantization"][0] <= 6 / 255 * 1.0001


@pytest.mark.parametrize("bits", [4, 2])
def test_int4_weights_are_slices_of_the_8_bit_codes(tiny_narrow: TinyBuild, bits: int) -> None:
    narrow = f"{bits}{bits}.{bits}{bits if bits == 4 else 0}"
    sources = {s.name: s.path.read_bytes() for s in mode_sources(tiny_narrow.build / "convert")}
    interpreter, details = loaded(tiny_narrow, "88.88")
    shift, largest = SLICES[bits]
    seen = 0
    for name in ("0.0.conv1", "0.1.conv2", "1.0.conv1", "1.0.shortcut"):
        wide = interpreter.get_tensor(details[f"{name}/weights"]["index"]).astype(int)
        expected = UNITS[bits] * np.clip((wide + (1 << (shift - 1))) >> shift, -largest, largest)
        assert (codes_of(sources[narrow], f"{name}/weights") == expected).all()
        seen += 1
    assert seen == 4


def round_biases(net: DeployedNetwork) -> None:
    """Biases of narrow blocks as the file holds them: whole steps of a sum, which are coarse where steps are few."""
    for block in net.blocks:
        assert isinstance(block, DeployedBlock)
        for part in ("conv1", "conv2", "shortcut"):
            weights = net.narrow_weights().get(f"{block.name}.{part}")
            if weights is not None:
                conv, step = getattr(block, part), weights.scale.float() * activation_step(block.bits)
                conv.bias.data = torch.round(conv.bias / step) * step


@pytest.mark.parametrize("mode", ["44.44", "84.20"])
def test_the_file_computes_what_was_trained(tiny_narrow: TinyBuild, mode: str) -> None:
    from dimmer.pipeline.data.encoding import INPUT_SCALE, to_int8
    from dimmer.pipeline.data.registry import load_dataset

    network = load_network(tiny_narrow.recipe)
    statistics = Statistics.load(calibration_folder(tiny_narrow.build))
    net = deploy(network, Mode.parse(mode), statistics.of(mode))
    round_biases(net)
    interpreter, _ = loaded(tiny_narrow, mode)
    given, answer = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]
    difference, size = [], []
    for image in to_int8(load_dataset("mnist5k").test.images[:40])[:, None]:
        interpreter.set_tensor(given, image)
        interpreter.invoke()
        scale, zero = answer["quantization"]
        ours = (interpreter.get_tensor(answer["index"]).reshape(-1).astype(float) - zero) * scale
        with torch.no_grad():
            exact = net(torch.from_numpy(image).permute(0, 3, 1, 2).float() * INPUT_SCALE)[0].numpy()
        difference.append(((ours - exact) ** 2).mean())
        size.append((exact**2).mean())
    # A wrong slice, scale or bias is an error as large as the logits; 8-bit rounding is a few percent of them.
    assert np.sqrt(np.mean(difference) / np.mean(size)) < 0.25


def test_nibbles_are_packed_low_first() -> None:
    assert packed_int4(np.array([1, -1, 7], np.int8)).tolist() == [0xF1, 0x07]
