# SPDX-License-Identifier: Apache-2.0
"""A hand-built set of modes: one network whose residual blocks can be left out, all on the same weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from numpy.random import default_rng

from dimmer.firmware_gen.read.modes import ModeSource
from tests.firmware_gen.tflite_builder import Layers

BLOCKS = 3
MODES = {"888": (0, 0, 0), "880": (0, 0, None), "800": (1, None, None)}
"""Mode -> for each block the variant of its biases and output scales, or None where it is skipped."""

STREAM_SCALE, STREAM_ZERO_POINT = 0.05, -20


class _SharedLayers(Layers):
    """Weights come from a seed of their own layer, so that every file has the same ones."""

    def layer(
        self, number: int, variant: int, x: int, channels: int, kernel: tuple[int, int], **options: object
    ) -> int:
        self.random = default_rng(1000 + number)
        y = self.conv(x, channels, kernel, **options)  # type: ignore[arg-type]
        weights, bias = self.operators[-1].inputs[1:3]
        self.tensors[weights].quantization.scale = [
            scale * (1 + variant / 7) for scale in self.tensors[weights].quantization.scale
        ]
        self.tensors[bias].name = f"bias_{number}_{variant}"
        return y


def build_mode(variants: Sequence[int | None]) -> tuple[bytes, tuple[str, ...]]:
    """A network with some blocks left out, `variants` as in MODES; gives the file and the names of its boundaries."""
    net = _SharedLayers(0)
    x = net.activation([1, 10, 10, 3], 1 / 64, 0)

    def stream(name: str) -> int:
        return net.activation([1, 10, 10, 8], STREAM_SCALE, STREAM_ZERO_POINT, name)

    y = net.layer(0, 0, x, 8, (3, 3), activation="RELU", output=stream("stem"))
    boundaries = ["stem"]
    for block, variant in enumerate(variants):
        if variant is not None:
            inner = net.layer(10 + block, variant, y, 8, (3, 3), activation="RELU")
            outer = net.layer(20 + block, variant, inner, 8, (3, 3))
            y = net.elementwise("ADD", y, outer, "RELU", stream(f"block{block}"))
        boundaries.append(net.tensors[y].name)
    net.random = default_rng(77)
    y = net.pool("AVERAGE_POOL_2D", y, (10, 10), (1, 1), "VALID", "NONE")
    return net.build(x, net.dense(net.reshape(y, [1, 8]), 6)), tuple(boundaries)


def write_modes(folder: Path) -> tuple[ModeSource, ...]:
    """Writes the files of MODES, the most expensive first."""
    sources = []
    for name, variants in MODES.items():
        data, boundaries = build_mode(variants)
        path = folder / f"{name}.tflite"
        path.write_bytes(data)
        sources.append(ModeSource(name, path, boundaries))
    return tuple(sources)


def splice(plan: Sequence[int]) -> bytes:
    """The file of an inference that runs position p in mode plan[p]; stem, blocks, head."""
    names = list(MODES)
    return build_mode([MODES[names[mode]][block] for block, mode in enumerate(plan[1:-1])])[0]
