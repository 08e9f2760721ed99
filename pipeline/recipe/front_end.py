# SPDX-License-Identifier: Apache-2.0
"""[features] for a network at hand: its input's shape and codes complete what the section says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.features.detector import NEVER, ActivitySpec, DetectorSpec
from dimmer.firmware_gen.features.emit import FrontEnd, feature_files
from dimmer.firmware_gen.features.image import ImageSpec, image_tables
from dimmer.firmware_gen.features.sensor import BiquadSpec, SensorSpec, sensor_tables
from dimmer.firmware_gen.features.spec import AudioSpec, Codes
from dimmer.firmware_gen.features.tables import audio_tables
from dimmer.firmware_gen.graph.types import DType, Tensor
from dimmer.pipeline.data.readers.heard import audio_spec
from dimmer.pipeline.data.scale import RowCodes
from dimmer.pipeline.recipe.read import read_section
from dimmer.pipeline.recipe.sections.features import (
    NONE,
    ActivityKeys,
    DetectorKeys,
    FeaturesSection,
    ImageKeys,
    SensorKeys,
)
from dimmer.toml import read_toml

_DB_OF_TWO = 20 * math.log10(2)


@dataclass(frozen=True)
class Surroundings:
    """What stands around a network.

    Attributes:
        front: tables of what makes its input; None where the application does.
        detector, activity: None where there is none.
    """

    kind: str
    front: FrontEnd | None
    detector: DetectorSpec | None
    activity: ActivitySpec | None

    @property
    def ram(self) -> int:
        """Bytes of streams, a window of rows included; of the structs that hold them not."""
        spec = None if self.front is None else self.front.spec
        rows = 0
        if isinstance(spec, AudioSpec):
            rows = spec.rows * spec.columns
        elif isinstance(spec, SensorSpec):
            rows = spec.rows * spec.channels
        return rows + (0 if spec is None else spec.memory) + (0 if self.detector is None else self.detector.memory)

    @property
    def flash(self) -> int:
        """Bytes of tables."""
        thresholds = 0 if self.detector is None else 2 * len(self.detector.thresholds)
        return thresholds + (0 if self.front is None else self.front.flash)

    def files(self, title: str) -> dict[str, str]:
        """File -> C, named after the model."""
        return feature_files(title, self.front, self.detector, self.activity)


def features_of(path: Path) -> FeaturesSection:
    """The section [features] of a TOML file.

    Raises:
        DimmerError: it cannot be read, or a key of it is wrong.
    """
    contents, where = read_toml(path)
    return read_section(FeaturesSection, contents.get("features", {}), ("features",), where)


def surroundings(
    section: FeaturesSection, source: Tensor, scores: Tensor, rows: RowCodes | None = None
) -> Surroundings:
    """What the section makes of a network with this input and output.

    Args:
        rows: what the input's codes stand for, where the network was trained on the front end's own rows; by default
            what its quantisation says.

    Raises:
        DimmerError, SpecError: they do not fit, or tables cannot hold what is asked for.
    """
    front: FrontEnd | None = None
    if section.kind != NONE:
        front = _front(section, source, rows)
    detector = _detector(section.detector, scores) if section.detector.classes else None
    activity = None
    if section.activity.margin_db and front is not None and isinstance(front.spec, AudioSpec):
        activity = _activity(section.activity, front.spec.bands)
    return Surroundings(section.kind, front, detector, activity)


def _front(section: FeaturesSection, source: Tensor, rows: RowCodes | None) -> FrontEnd:
    codes = _codes(source, "input")
    if section.heard is not None:
        known = codes if rows is None else Codes(rows.scale, rows.zero_point)
        count = _rows(section.kind, source, section.heard.keys.columns)
        return audio_tables(audio_spec(section.heard, count, known))
    if section.kind == "sensor":
        return sensor_tables(_sensor(section.sensor, source, codes))
    return image_tables(_image(section.image, source, codes))


def _codes(tensor: Tensor, what: str) -> Codes:
    if tensor.dtype is not DType.INT8 or tensor.quantisation is None:
        raise DimmerError(f"features: the network's {what} is {tensor.dtype.value}, they make int8: quantise it")
    return Codes(float(tensor.q.scale), int(tensor.q.zero_point))


def _rows(kind: str, source: Tensor, columns: int) -> int:
    size = math.prod(source.shape)
    if size % columns:
        shape = ", ".join(map(str, source.shape))
        raise DimmerError(f"features.kind = {kind!r}: rows of {columns} do not make up the network's input [{shape}]")
    return size // columns


def _sensor(keys: SensorKeys, source: Tensor, codes: Codes) -> SensorSpec:
    rows = _rows("sensor", source, len(keys.means))
    corners = (("highpass", keys.highpass_hz), ("lowpass", keys.lowpass_hz))
    biquads = tuple(BiquadSpec(kind, hz) for kind, hz in corners if hz)
    hop = keys.hop or max(1, rows // 2)
    return SensorSpec(keys.rate, keys.means, keys.deviations, codes, rows, hop, biquads, keep=keys.keep)


def _image(keys: ImageKeys, source: Tensor, codes: Codes) -> ImageSpec:
    shape = source.shape
    if len(shape) != 4 or shape[3] not in (1, 3):
        raise DimmerError(
            f"features.kind = 'image': the network's input is {list(shape)}, not [1, height, width, 1 or 3]"
        )
    _, height, width, channels = shape
    crop = keys.crop
    if not crop:
        # The largest part of the input's shape, in the middle.
        wide = min(keys.width, keys.height * width // height)
        high = min(keys.height, keys.width * height // width)
        crop = ((keys.width - wide) // 2, (keys.height - high) // 2, wide, high)
    return ImageSpec(
        keys.width,
        keys.height,
        (crop[0], crop[1], crop[2], crop[3]),
        width,
        height,
        keys.means or (0.0,) * channels,
        keys.deviations or (1.0,) * channels,
        codes,
        keys.format,
        keys.resize,
        keys.yuv_range,
    )


def _detector(keys: DetectorKeys, scores: Tensor) -> DetectorSpec:
    codes, count = _codes(scores, "output"), math.prod(scores.shape)
    if max(keys.classes) >= count:
        raise DimmerError(f"features.detector.classes holds {max(keys.classes)}: the network's are 0 to {count - 1}")
    threshold = round((keys.threshold / codes.scale + codes.zero_point) * keys.average)
    if not -128 * keys.average <= threshold <= 127 * keys.average:
        low, high = ((code - codes.zero_point) * codes.scale for code in (-128, 127))
        raise DimmerError(
            f"features.detector.threshold = {keys.threshold:g} is out of reach: the network's outputs are {low:.6g} to "
            f"{high:.6g}; name one between"
        )
    thresholds = tuple(threshold if label in keys.classes else NEVER for label in range(count))
    return DetectorSpec(thresholds, keys.average, keys.quiet)


def _activity(keys: ActivityKeys, bands: int) -> ActivitySpec:
    """A level is the sum of all bands' log2, Q16."""
    return ActivitySpec(round(keys.margin_db / _DB_OF_TWO * 65536 * bands), keys.rise, keys.fall, keys.hold)
