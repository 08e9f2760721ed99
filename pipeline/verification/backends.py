# SPDX-License-Identifier: Apache-2.0
"""The firmwares that are compared with the interpreter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.artifacts.converted import converted_folder, mode_sources
from dimmer.pipeline.artifacts.firmware import firmware_folder, firmware_modes
from dimmer.targets import Target, load_target

HOST = "host"


@dataclass(frozen=True)
class Backend:
    """A firmware and what runs it.

    Attributes:
        ids: in this firmware, of each mode that is compared.
    """

    target: Target
    elf: Path
    ids: tuple[int, ...]

    @property
    def name(self) -> str:
        """The target's."""
        return self.target.name


@dataclass(frozen=True)
class Subjects:
    """What is compared.

    Attributes:
        sources: the modes of the target's firmware, in the order of their ids there.
        host: the firmware for this machine, which has these modes and may have more.
        target: the firmware in question; the same as `host` where that is the target.
        output_bytes: of the model.
        output_scale: real value of one code of the output, the same in all modes; float64[output] of several outputs.
        output_zero_point: code of the real value 0; int64[output] of several.
    """

    sources: tuple[ModeSource, ...]
    host: Backend
    target: Backend
    output_bytes: int
    output_scale: float | NDArray[np.float64] = 1.0
    output_zero_point: int | NDArray[np.int64] = 0

    @property
    def backends(self) -> tuple[Backend, ...]:
        """Both, or the one."""
        return (self.host,) if self.host.name == self.target.name else (self.host, self.target)

    @property
    def positions(self) -> int:
        """Of every mode's schedule."""
        return len(self.sources[0].boundaries) + 1


def find_subjects(build: Path, target: Target) -> Subjects:
    """What the firmware stages left under ``build/<model>``.

    Raises:
        DimmerError: a stage's file is missing or damaged.
    """
    published = firmware_modes(build, target.name)
    sources = tuple(source for source in mode_sources(converted_folder(build)) if source.name in published)

    def backend(chosen: Target) -> Backend:
        modes = firmware_modes(build, chosen.name)
        ids = tuple(modes.index(source.name) for source in sources)
        return Backend(chosen, firmware_folder(build, chosen.name) / "firmware.elf", ids)

    graph = read_tflite(sources[0].path)
    output = graph.tensors[graph.output]
    if graph.outputs:
        parts = sorted(graph.outputs, key=lambda part: part.offset)
        each = [part.tensor.size for part in parts]
        scale = np.repeat([float(part.tensor.q.scale) for part in parts], each)
        zero_point = np.repeat([part.tensor.q.zero_point for part in parts], each)
        return Subjects(sources, backend(load_target(HOST)), backend(target), output.elements, scale, zero_point)
    ends = (output.q.scale, output.q.zero_point) if output.quantisation is not None else (1.0, 0)
    return Subjects(sources, backend(load_target(HOST)), backend(target), output.elements, *ends)
