"""Modes as TVM functions: bit for bit what the reference kernels give, on weights that are there once."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.artifacts.converted import mode_sources
from dimmer.pipeline.bundles import make
from dimmer.pipeline.bundles.bundle import machine_of
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.pipeline.tvm.document import load_modules
from dimmer.pipeline.tvm.dot import ARM, AVX2, PLAIN, dot_of
from dimmer.pipeline.tvm.module import build_modules, mismatches
from dimmer.pipeline.tvm.qdq import write_qdq
from dimmer.pipeline.tvm.schedule import default_tile
from dimmer.pipeline.tvm.targets import TARGETS
from dimmer.targets import load_target
from tests.firmware_gen.modes import write_modes
from tests.firmware_gen.tflite_builder import Layers
from tests.tiny import TinyBuild

Int8 = npt.NDArray[np.int8]
needs_tvm = pytest.mark.xdist_group("tvm")


@pytest.fixture
def tvm() -> Any:
    return pytest.importorskip("tvm", reason="needs apache-tvm")


def compare(modes: list[ModeSource], out: Path, samples: int = 20) -> None:
    build_modules({mode.name: mode.path for mode in modes}, TARGETS["host"], out)
    inputs = sample_inputs(modes[0].path, samples)
    assert mismatches(out, modes, inputs) == {mode.name: 0 for mode in modes}


@needs_tvm
def test_modes_are_bit_exact_on_one_set_of_weights(tvm: Any, tmp_path: Path) -> None:
    modes = list(write_modes(tmp_path))
    compare(modes, tmp_path / "out")
    layers = {1000, 1010, 1020, 1011, 1021, 1012, 1022}  # stem and the two layers of each block
    weights = load_modules(tmp_path / "out").weights
    assert len(weights) == len(layers) + 1  # and the head
    assert len({weight.offset for weight in weights}) == len(weights)


KINDS = [
    "strided and padded",
    "dilated, of odd channels",
    "of one pixel",
    "sum of two convolutions",
    "dense",
    "depthwise with a multiplier",
    "pools",
    "mean",
    "sum and difference",
    "rescaled",
]


def network(kind: str) -> bytes:
    net = Layers(11)
    x = net.activation([1, 9, 9, 4], 1 / 64, 3)
    match kind:
        case "strided and padded":
            y = net.conv(net.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)]), 6, stride=(2, 2), padding="VALID")
        case "dilated, of odd channels":
            y = net.conv(net.conv(x, 5), 7, dilation=(2, 2), activation="RELU")
        case "of one pixel":
            y = net.conv(net.conv(x, 8, (9, 9), padding="VALID"), 3, (1, 1))
        case "sum of two convolutions":
            y = net.elementwise("ADD", net.conv(x, 16), net.conv(x, 16, (1, 1)), "RELU")
        case "dense":
            y = net.dense(net.reshape(net.conv(x, 3), [1, 243]), 5)
        case "depthwise with a multiplier":
            y = net.depthwise(x, 2, activation="RELU6")
        case "pools":
            y = net.pool("AVERAGE_POOL_2D", x, (3, 3), (2, 2), "SAME", "RELU")
            y = net.pool("MAX_POOL_2D", y, (2, 2), (1, 1), "SAME", "NONE")
        case "mean":
            mean = net.activation([1, 4], net.scale_of(x), net.zero_point_of(x), "mean")
            y = net.operator("MEAN", [x, net.constant("axes", [1, 2])], mean, keepDims=False)
        case "sum and difference":
            y = net.elementwise("SUB", net.elementwise("ADD", x, net.conv(x, 4), "RELU"), x)
        case "rescaled":
            y = net.operator("RELU6", [net.conv(x, 4)], net.activation([1, 9, 9, 4], 6 / 255, -128, "clipped"))
            y = net.operator("QUANTIZE", [y], net.activation([1, 9, 9, 4], 6 / 15, -128, "narrow"))
        case _:
            raise ValueError(kind)
    return net.build(x, y)


@needs_tvm
@pytest.mark.parametrize(
    "kind",
    KINDS,
)
def test_operators_are_bit_exact(tvm: Any, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "network.tflite"
    path.write_bytes(network(kind))
    compare([ModeSource("8", path)], tmp_path / "out")


@needs_tvm
@pytest.mark.parametrize("kind", ["strided and padded", "dilated, of odd channels"])
def test_loops_without_a_dot_product_instruction_are_bit_exact(tvm: Any, tmp_path: Path, kind: str) -> None:
    own = TARGETS["host"]
    any_processor = replace(own, name="any", llvm={"kind": "llvm", "mtriple": own.triple})
    if dot_of(any_processor.processor()) != PLAIN:
        pytest.skip(f"every {own.machine} has a dot product")
    path = tmp_path / "network.tflite"
    path.write_bytes(network(kind))
    build_modules({"8": path}, any_processor, tmp_path / "out")
    inputs = sample_inputs(path, 20)
    assert mismatches(tmp_path / "out", [ModeSource("8", path)], inputs) == {"8": 0}


@pytest.mark.xdist_group("tiny_narrow")
def test_modes_of_4_and_2_bits_are_bit_exact_on_the_weights_of_8(
    tvm: Any, tiny_narrow: TinyBuild, tmp_path: Path
) -> None:
    modes = list(mode_sources(tiny_narrow.build / "convert"))
    assert {"88.88", "44.44", "84.20"} <= {mode.name for mode in modes}
    compare(modes, tmp_path / "all")
    build_modules({modes[0].name: modes[0].path}, TARGETS["host"], tmp_path / "one")
    sizes = {name: (tmp_path / name / "weights.bin").stat().st_size for name in ("all", "one")}
    assert sizes["all"] == sizes["one"]


@needs_tvm
@pytest.mark.board("jetson")
def test_the_board_s_convolutions_are_dot_product_instructions(tvm: Any, tmp_path: Path) -> None:
    path = tmp_path / "network.tflite"
    path.write_bytes(network("sum of two convolutions"))
    processor_alone = replace(TARGETS["jetson"], cuda=None)
    modules = build_modules({"8": path}, processor_alone, tmp_path / "out")
    assert machine_of(modules.library) == 183
    listing = ["aarch64-linux-gnu-objdump", "-d", "--no-show-raw-insn", str(modules.library)]
    text = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    # 9 taps of 4 channels into 16, and 1 tap, for each pixel: the loops over taps and pixels stay loops.
    assert text.count("\tsdot\t") >= 16


def test_default_tiles_fill_registers_and_divide_the_work() -> None:
    for dot in (AVX2, ARM, PLAIN):
        for width, channels in ((32, 16), (16, 32), (8, 64), (28, 16), (7, 64), (1, 16), (13, 8)):
            pixels, vectors = default_tile(width, channels, dot)
            assert width % pixels == 0
            assert channels % (vectors * dot.outputs) == 0
    assert default_tile(32, 16, AVX2) == (4, 2)
    assert default_tile(32, 16, ARM) == (4, 4)


def test_an_operator_without_a_lowering_is_named(tvm: Any, tmp_path: Path) -> None:
    net = Layers(1)
    x = net.activation([1, 4])
    path = tmp_path / "soft.tflite"
    path.write_bytes(net.build(x, net.softmax(x)))
    with pytest.raises(DimmerError, match=r"soft\.tflite: operator 0 SOFTMAX .* has no lowering for TVM"):
        build_modules({"8": path}, TARGETS["host"], tmp_path / "out")


def test_onnx_with_scales_gives_the_same_codes_but_for_rounding(tmp_path: Path) -> None:
    ort = pytest.importorskip("onnxruntime")
    plain = ort.SessionOptions()
    # As the file says it, in float between the scales: on a processor without VNNI onnxruntime's integer kernels
    # saturate where two products do not fit 16 bits.
    plain.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    for mode in write_modes(tmp_path):
        graph = read_tflite(mode.path)
        write_qdq(graph, tmp_path / "mode.onnx")
        session = ort.InferenceSession(str(tmp_path / "mode.onnx"), plain, providers=["CPUExecutionProvider"])
        source, result = graph.tensors[graph.input], graph.tensors[graph.output]
        inputs = np.random.default_rng(1).integers(-128, 128, (20, *source.shape), np.int8)
        expected = np.frombuffer(reference_outputs(mode.path, inputs.tobytes()), np.int8).reshape(20, -1)
        real = ((inputs.astype(np.float32) - source.q.zero_point) * np.float32(source.q.scale)).astype(np.float32)
        got = np.stack([session.run(None, {"image": image})[0].reshape(-1) for image in real])
        codes = np.round(got / result.q.scale) + result.q.zero_point
        assert np.abs(codes - expected).max() <= 2


@pytest.mark.slow
@pytest.mark.board("jetson")
@needs_tvm
def test_the_bundle_of_the_board_is_bit_exact_under_emulation(tvm: Any, tmp_path: Path) -> None:
    target, modes = load_target("jetson"), list(write_modes(tmp_path))
    inputs = sample_inputs(modes[0].path, 50)
    try:
        modules = build_modules({mode.name: mode.path for mode in modes}, TARGETS["jetson"], tmp_path / "modules")
        figures = make.make(
            "hand-built", modules, modes, even_policy(len(modes)), inputs, 100, target, tmp_path / "out"
        )
    except DimmerError as error:
        if "cannot be had" not in str(error):
            raise
        pytest.skip(str(error))
    assert figures.architecture == "aarch64"
    gpu = modules.gpu
    assert gpu is not None
    header = subprocess.run(["readelf", "-h", str(gpu.code)], capture_output=True, text=True, check=True).stdout
    assert "NVIDIA CUDA architecture" in header
    assert b"the machine code is the .cubin file" in gpu.library.read_bytes()
    assert figures.bytes.gpu_library == gpu.library.stat().st_size + gpu.code.stat().st_size
    assert [(mode.verify.samples, mode.verify.mismatches) for mode in figures.modes] == [(100, 0)] * 3
    assert sorted(path.name for path in (tmp_path / "out" / "hand-built" / "onnx").iterdir()) == [
        "800.onnx",
        "880.onnx",
        "888.onnx",
    ]
