# SPDX-License-Identifier: Apache-2.0
"""Two more networks of MLPerf Tiny as int8 `.tflite` files: their architectures, with random weights.

Weights are seeded noise. What the converter takes from data is taken from noise as well: every layer is run in integers
on a few inputs, its sums are normalised channel by channel as a folded batch norm does, and the largest value gives the
scale of the output. Integers and correctly rounded divisions make the same file on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dimmer.pipeline.artifacts.context import builds
from dimmer.pipeline.core.stage import atomic_write
from tests.firmware_gen.tflite_builder import TfliteBuilder, activation_code, convolved, padding_code, window_options

SAMPLES = 2
SEED = 7

Array = np.ndarray[Any, np.dtype[np.float64]]
"""Whole numbers below 2^53 but for scales, so that sums are exact in any order."""


@dataclass(frozen=True)
class Network:
    """A network whose weights are random.

    Attributes:
        name: of the file.
        description: what a person is told of it.
        build: gives the file's bytes.
    """

    name: str
    description: str
    build: Callable[[], bytes]


class Calibrated(TfliteBuilder):
    """Layers that know the codes of SAMPLES inputs at every tensor."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = np.random.default_rng(seed)
        self.samples: dict[int, Array] = {}

    def input(self, shape: tuple[int, ...], scale: float, zero_point: int) -> int:
        """int8[shape], the samples noise of all codes."""
        index = self.tensor("input", shape, "int8", scale, zero_point)
        self.samples[index] = self.random.integers(-128, 128, (SAMPLES, *shape[1:])).astype(np.float64)
        return index

    def scale_of(self, tensor: int) -> float:
        """The scale of a tensor."""
        return float(self.tensors[tensor].quantization.scale[0])

    def values(self, tensor: int) -> Array:
        """Codes without the zero point."""
        return self.samples[tensor] - float(self.tensors[tensor].quantization.zeroPoint[0])

    def weights(self, shape: tuple[int, ...], axis: int) -> Array:
        """Normally distributed codes whose largest one in each channel is 127 or -127."""
        noise = self.random.standard_normal(shape)
        others = tuple(place for place in range(len(shape)) if place != axis)
        return np.asarray(np.rint(noise * 127 / np.abs(noise).max(axis=others, keepdims=True)))

    def layer(
        self,
        kind: str,
        x: int,
        weights: Array,
        axis: int,
        sums: Array,
        activation: str,
        per_channel: bool,
        options: Mapping[str, Any],
    ) -> int:
        """Adds bias, scales and output to weights and to their sums of products, float64[SAMPLES,...,channels]."""
        name = f"{kind.lower()}_{len(self.operators)}"
        channels = sums.shape[-1]
        flat = sums.reshape(-1, channels)
        variance = (flat**2).mean(axis=0) - flat.mean(axis=0) ** 2
        spread = np.sqrt(variance + variance.mean() / 1000)  # as the epsilon of a batch norm
        if not per_channel:
            spread = np.full(channels, spread.mean())
        shifts = self.random.standard_normal(channels) / 2  # beta of the batch norm
        bias = np.rint(shifts * spread - flat.mean(axis=0))
        real = (flat + bias) / spread
        if activation == "RELU":
            real = np.maximum(real, 0)
        low, high = min(0.0, float(real.min())), float(real.max())
        scale = float(np.float32((high - low) / 255))
        zero_point = int(np.rint(-128 - low / scale))
        scales = (1 / (spread * self.scale_of(x))).tolist()
        used = scales if per_channel else scales[:1]
        inputs = [
            x,
            self.tensor(f"{name}/weights", weights.shape, "int8", used, 0, axis, weights),
            self.tensor(f"{name}/bias", [channels], "int32", [s * self.scale_of(x) for s in used], 0, 0, bias),
        ]
        output = self.tensor(name, [1, *sums.shape[1:]], "int8", scale, zero_point)
        self.samples[output] = np.clip(np.rint(real / scale) + zero_point, -128, 127).reshape(sums.shape)
        return self.operator(kind, inputs, output, fusedActivationFunction=activation_code(activation), **options)

    def windows(self, x: int, size: int, stride: int) -> Array:
        """float64[SAMPLES,h,w,channels,size,size] with SAME padding."""
        values = self.values(x)
        pads = []
        for length in values.shape[1:3]:
            missing = max((convolved(length, size, stride, 1, "SAME") - 1) * stride + size - length, 0)
            pads.append((missing // 2, missing - missing // 2))
        padded = np.pad(values, ((0, 0), *pads, (0, 0)))
        found = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
        return np.asarray(found[:, ::stride, ::stride])

    def conv(self, x: int, channels: int, size: int, stride: int) -> int:
        """CONV_2D with RELU, SAME."""
        depth = self.samples[x].shape[-1]
        weights = self.weights((channels, size, size, depth), 0)
        sums = np.einsum("nyxcij,oijc->nyxo", self.windows(x, size, stride), weights, optimize=True)
        return self.layer("CONV_2D", x, weights, 0, sums, "RELU", True, same(stride))

    def depthwise(self, x: int, stride: int) -> int:
        """DEPTHWISE_CONV_2D 3x3 with RELU, SAME."""
        weights = self.weights((1, 3, 3, self.samples[x].shape[-1]), 3)
        sums = np.einsum("nyxcij,ijc->nyxc", self.windows(x, 3, stride), weights[0])
        return self.layer(
            "DEPTHWISE_CONV_2D", x, weights, 3, sums, "RELU", True, {**same(stride), "depthMultiplier": 1}
        )

    def dense(self, x: int, channels: int, activation: str) -> int:
        """FULLY_CONNECTED with one scale for all weights, as the converter has it by default."""
        values = self.values(x)
        weights = self.weights((channels, values.shape[-1]), 0)
        return self.layer("FULLY_CONNECTED", x, weights, 0, values @ weights.T, activation, False, {})

    def unchanged(self, kind: str, inputs: list[int], shape: tuple[int, ...], codes: Array, **options: Any) -> int:
        """An operator whose output has the scale and the zero point of its input."""
        source = self.tensors[inputs[0]].quantization
        output = self.tensor(
            f"{kind.lower()}_{len(self.operators)}", shape, "int8", source.scale[0], source.zeroPoint[0]
        )
        self.samples[output] = codes.reshape(-1, *shape[1:])
        return self.operator(kind, inputs, output, **options)


def same(stride: int) -> dict[str, int]:
    """Options of a convolution with SAME padding, but for the activation."""
    options = window_options((stride, stride), (1, 1), "SAME", "NONE")
    del options["fusedActivationFunction"]
    return options


def visual_wake_words() -> bytes:
    """MobileNetV1 0.25, int8[1,96,96,3] -> int8[1,2]: convolution, 13 depthwise-separable layers, average pool, fully
    connected, softmax; 7,489,664 MACs.
    """
    net = Calibrated(SEED)
    x = net.input((1, 96, 96, 3), 1 / 255, -128)
    y = net.conv(x, 8, 3, 2)
    plan = [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1)]
    for channels, stride in plan:
        y = net.conv(net.depthwise(y, stride), channels, 1, 1)
    pool = {"filterHeight": 3, "filterWidth": 3, "strideH": 3, "strideW": 3, "padding": padding_code("VALID")}
    mean = np.rint(net.samples[y].mean(axis=(1, 2)))
    y = net.unchanged("AVERAGE_POOL_2D", [y], (1, 1, 1, 256), mean, fusedActivationFunction=0, **pool)
    shape = net.constant("shape", [1, 256])
    y = net.unchanged("RESHAPE", [y, shape], (1, 256), net.samples[y], newShape=[1, 256])
    y = net.dense(y, 2, "NONE")
    return net.build(x, net.operator("SOFTMAX", [y], net.tensor("output", [1, 2], "int8", 1 / 256, -128), beta=1.0))


def anomaly_detection() -> bytes:
    """The autoencoder for ToyADMOS, int8[1,640] -> int8[1,640]: ten fully connected layers; 264,192 MACs."""
    net = Calibrated(SEED)
    x = y = net.input((1, 640), 0.4, 90)
    for width in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        y = net.dense(y, width, "RELU")
    return net.build(x, net.dense(y, 640, "NONE"))


NETWORKS = (
    Network(
        "random_visual_wake_words",
        "the architecture of MLPerf Tiny's visual wake words (MobileNetV1 0.25) with random weights",
        visual_wake_words,
    ),
    Network(
        "random_anomaly_detection",
        "the architecture of MLPerf Tiny's anomaly detection (autoencoder) with random weights",
        anomaly_detection,
    ),
)


def write_networks(folder: Path | None = None) -> tuple[Path, ...]:
    """Writes each network to `folder`, build/benchmarks where none is given; gives the files."""
    folder = folder or builds() / "benchmarks"
    files = []
    for network in NETWORKS:
        path = folder / f"{network.name}.tflite"
        atomic_write(path, network.build())
        files.append(path)
    return tuple(files)
