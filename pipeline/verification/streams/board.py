# SPDX-License-Identifier: Apache-2.0
"""Front end, model and detector streamed on a target, against integers in numpy and TFLite's interpreter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.firmware_gen.features.detector import detections
from dimmer.firmware_gen.features.emit import feature_files
from dimmer.firmware_gen.library import INCLUDE, feature_sources, sources
from dimmer.pipeline.artifacts.converted import converted_folder, mode_sources
from dimmer.pipeline.artifacts.firmware import firmware_folder, firmware_modes
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.verification.streams.detection import Detection
from dimmer.pipeline.verification.streams.stream import Stream
from dimmer.targets import Target
from dimmer.targets.target import TARGETS

PROGRAM = (TARGETS / "app" / "stream.c", TARGETS / "app" / "text.c")


@dataclass(frozen=True)
class Streamed:
    """What a target made of a stream.

    Attributes:
        seconds: of the stream.
        inferences: that were compared.
        detections: of them.
        differing: inferences whose output or detection is another one.
    """

    seconds: float
    inferences: int
    detections: int
    differing: int


def stream_on(target: Target, build: Path, found: Detection, stream: Stream, most_s: float) -> Streamed:
    """Streams the first seconds on a target and compares every inference.

    Raises:
        DimmerError: the model was not built for the target.
        TargetError: the compiler or the emulator.
    """
    ears, spec = found.ears, found.ears.front.spec
    samples = stream.samples[: max(int(most_s * spec.rate), spec.samples)]
    generated = firmware_folder(build, target.name)
    modes = firmware_modes(build, target.name)
    if ears.mode not in modes:
        raise DimmerError(f"{target.name} has no mode {ears.mode}; it has {', '.join(modes)}: name one with --mode")
    path = next(one.path for one in mode_sources(converted_folder(build)) if one.name == ears.mode)
    inputs = ears.inputs(samples)
    expected = np.frombuffer(reference_outputs(path, inputs.tobytes()), np.int8).reshape(len(inputs), -1)
    heard = detections(found.detector, expected)
    with children.scratch() as work:
        for name, text in feature_files("stream", ears.front, found.detector).items():
            (work / name).write_text(text, encoding="utf-8")
        model = sorted(generated.glob("dimmer_*.c"))
        # The linker drops every other kernel; compiling them takes most of the time.
        named = {word for file in model for word in re.findall(r"\bdimmer_\w+", file.read_text(encoding="utf-8"))}
        every = [*model, work / "dimmer_stream_features.c", *PROGRAM, *feature_sources(), *sources(sorted(named))]
        elf = target.compile(every, [work, generated, INCLUDE], work, {"STREAM_HOP": str(ears.hop)})
        (work / "in").write_bytes(samples.astype("<i2").tobytes())
        target.run(elf, ["in", "out", str(modes.index(ears.mode))], work)
        said = np.frombuffer((work / "out").read_bytes(), np.int8)
    width = expected.shape[1] + 2
    if len(said) != width * len(expected):
        raise DimmerError(f"{target.name} made {len(said) // width} inferences of {len(expected)}; report it")
    rows = said.reshape(len(expected), width)
    found_there = np.ascontiguousarray(rows[:, -2:]).view("<i2").ravel()
    differing = (rows[:, :-2] != expected).any(1) | (found_there != heard)
    return Streamed(len(samples) / spec.rate, len(expected), int((heard >= 0).sum()), int(differing.sum()))
