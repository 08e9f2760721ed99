# SPDX-License-Identifier: Apache-2.0
"""Gated runs of a firmware: the level goes before each image, outputs and bits come back apart."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from dimmer.pipeline.image.gated_records import run_gated
from dimmer.targets import load_target

# Answers with the least byte of the image, and with the level in the place of every block's bits.
LEAST = """
import struct, sys
data = open(sys.argv[2], "rb").read()
count, size, output, blocks = struct.unpack("<4I", data[4:20])
rows = [data[20 + i * (1 + size) :][: 1 + size] for i in range(count)]
least = [min(byte - 256 if byte > 127 else byte for byte in row[1:]) for row in rows]
open(sys.argv[3], "wb").write(b"".join(bytes([x % 256] * output + [row[0]] * blocks) for x, row in zip(least, rows)))
"""


def test_levels_and_images_go_in_and_outputs_and_bits_come_out(tmp_path: Path) -> None:
    target = load_target("host")
    command = (sys.executable, "-c", LEAST, "{arguments}", "{elf}")
    target = replace(target, runner=replace(target.runner, command=command))
    elf = tmp_path / "firmware.elf"
    elf.touch()
    images = np.random.default_rng(0).integers(-128, 128, (300, 2, 2, 1)).astype(np.int8)
    levels = np.arange(300) % 256
    done: list[int] = []
    ran = run_gated(target, elf, images, levels, blocks=3, output_bytes=2, done=done.append)
    assert ran.outputs.shape == (300, 2)
    np.testing.assert_array_equal(ran.outputs[:, 0], images.reshape(300, -1).min(1))
    np.testing.assert_array_equal(ran.bits, np.repeat(levels[:, None], 3, 1))
    assert sum(done) == 300
