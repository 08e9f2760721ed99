# SPDX-License-Identifier: Apache-2.0
"""A float network of somebody's, quantised on his data: a stage of its own before the firmware's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.read.floats import how_to_quantise, is_float
from dimmer.pipeline.artifacts.quantised import INPUTS, Quantised
from dimmer.pipeline.conversion.given.external import external_files
from dimmer.pipeline.conversion.given.kinds import (
    CHANNELS_FIRST,
    NAMES,
    ONNX,
    TFLITE,
    is_other,
    kind_of,
    require_converters,
    versions_behind,
)
from dimmer.pipeline.conversion.given.worker import FLOAT, make_float, make_int8
from dimmer.pipeline.conversion.signatures import with_signature
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import Json, Stage
from dimmer.pipeline.oracle.mend import mending
from dimmer.pipeline.projects.samples import ARRAYS, NO_PIXELS, Input, samples_of


@dataclass(frozen=True)
class Calibration:
    """What a float network is quantised on.

    Attributes:
        data: samples.
        pixels: what 0 and 255 of images are to the network; None where nobody says.
    """

    data: Path
    pixels: tuple[float, float] | None = None


def quantise_stage(path: Path, name: str, calibration: Calibration, folder: Path, progress: Progress) -> Stage:
    """The stage: a float network and samples -> `<name>.tflite` of int8, and what that costs.

    Raises:
        DimmerError: the file is no network of floats, data is not there, or what converts it is not installed.
    """
    data, pixels = calibration.data, calibration.pixels
    if not data.exists():
        raise DimmerError(f"--calibration {data}: is not there; give an .npz, an .npy or a folder of samples")
    kind = kind_of(path)
    if kind == TFLITE and not is_float(path):
        raise DimmerError(f"{path.name}: is quantised already; leave out --calibration")
    require_converters(kind)

    def action(out: Path) -> None:
        progress(f"{path.name} to a float .tflite", 0.0)
        make_float(path, kind, out)
        progress(f"samples of {data.name}", 0.3)
        samples = samples_of(data, inputs_of(out / FLOAT), kind in CHANNELS_FIRST, pixels, classes_of(out / FLOAT))
        progress(f"choosing ranges on {len(samples.calibrate[0])} samples", 0.4)
        make_int8(samples, path.name, name, out)

    settings: dict[str, Json] = {"name": name, "kind": kind, "pixels": None if pixels is None else list(pixels)}
    given = [*files_of(path), data]
    behind = versions_behind(kind)
    return Stage("quantise", folder, action, settings=settings, contents=behind, keep_partial=True, given=given)


def quantise_folder(given: Path, model: str) -> Path:
    """Where the stage writes what it makes of a float network: one folder for every name of a model."""
    return given / model / "quantise"


def files_of(path: Path) -> tuple[Path, ...]:
    """A float network's file, and those beside it that hold its weights.

    Raises:
        DimmerError: it is not there, or one of them.
    """
    return (path, *(external_files(path) if kind_of(path) == ONNX else ()))


@dataclass(frozen=True)
class Ready:
    """Files that the generator takes.

    Attributes:
        files: `.tflite` of int8, one a mode.
        lines: what a person should know of them.
        inputs: of somebody's data, as the file takes them, one after the other; empty without.
        quantised: what was found where a float network was quantised.
    """

    files: tuple[Path, ...]
    lines: tuple[str, ...]
    inputs: bytes = b""
    quantised: Quantised | None = None

    def first(self, most: int | None) -> bytes:
        """The first inputs of somebody's data, `most` of them; all for None."""
        if self.quantised is None or most is None:
            return self.inputs
        return self.inputs[: len(self.inputs) // max(1, self.quantised.inputs) * most]


def ready(
    files: Sequence[Path],
    signature: str | None,
    calibration: Calibration | None,
    folder: Path,
    progress: Progress,
    called: str | None = None,
) -> Ready:
    """What somebody gives, as files for the generator: one signature alone, a float network quantised.

    Args:
        folder: of everything that is made of it.
        called: name of the model; that of the file where none is given.

    Raises:
        DimmerError: a float network came without data, or there is nothing to quantise.
    """
    if calibration is None:
        for path in filter(is_other, files):
            raise DimmerError(f"{path.name}: is {NAMES[kind_of(path)]}; {how_to_quantise(str(path))}")
        chosen = files if signature is None else [with_signature(path, signature, folder) for path in files]
        return Ready(tuple(chosen), tuple(line for path in chosen if (line := mending(path).strip())))
    if len(files) > 1:
        raise DimmerError("--calibration takes one network; modes have one input scale, quantise them together")
    (path,) = files if signature is None else (with_signature(files[0], signature, folder),)
    name = path.stem if path.stem.strip(".") else "model"
    place = quantise_folder(folder, called or name)
    quantise_stage(path, name, calibration, place, progress).run()
    found = Quantised.load(place)
    return Ready((place / found.file,), tuple(found.lines()), (place / INPUTS).read_bytes(), found)


def inputs_of(path: Path) -> list[Input]:
    """The inputs of a float `.tflite`.

    Raises:
        DimmerError: one is not float32, or has no batch of 1.
    """
    from ai_edge_litert import schema_py_generated as schema

    from dimmer.firmware_gen.read.flatbuffer import read_flatbuffer

    raw = read_flatbuffer(path.read_bytes(), path.name)
    found = []
    for index in raw.inputs:
        tensor = raw.tensors[index]
        if tensor.type != schema.TensorType.FLOAT32:
            raise DimmerError(f"{tensor.name}: inputs are float32 where a network is quantised, this one is not")
        name = tensor.name.removeprefix("serving_default_").split(":")[0]
        if tensor.shape and tensor.shape[0] != 1:
            raise DimmerError(f"{name}: has a batch of {tensor.shape[0]}; convert with 1")
        found.append(Input(name, tuple(tensor.shape[1:])))
    return found


def classes_of(path: Path) -> int | None:
    """How many classes a `.tflite` tells apart: the numbers of its one output; None of several, or of one number."""
    from dimmer.firmware_gen.read.flatbuffer import read_flatbuffer

    raw = read_flatbuffer(path.read_bytes(), path.name)
    count = math.prod(raw.tensors[raw.outputs[0]].shape) if len(raw.outputs) == 1 else 1
    return count if count > 1 else None


def calibration_of(data: Path | None, pixels: str | None) -> Calibration | None:
    """What --calibration and --pixels say.

    Raises:
        DimmerError: pixels are no two numbers, the lower one first, or stand without images.
    """
    if data is None:
        if pixels is not None:
            raise DimmerError("--pixels goes with --calibration: it says what images are to a float network")
        return None
    if pixels is None:
        return Calibration(data)
    if data.suffix.lower() in ARRAYS or data.is_file():
        raise DimmerError(NO_PIXELS)
    try:
        low, high = (float(part) for part in pixels.split(","))
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(pixels)
    except ValueError as error:
        raise DimmerError(f"--pixels {pixels}: write what 0 and 255 are to the network, such as 0,1 or -1,1") from error
    return Calibration(data, (low, high))
