# SPDX-License-Identifier: Apache-2.0
"""[features]: what the device makes of its samples before the network sees them, and of the network's outputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from dimmer.pipeline.core.checks import OneOf, bounded, require
from dimmer.pipeline.data.heard import AUDIO, PRESET_KEYS, AudioKeys, Heard

# The generator's own, written again: a recipe is read by stages that know no features, and whose keys are not to change
# with their code.
FORMATS = ("rgb565-le", "rgb565-be", "yuyv", "uyvy")
RESIZES = ("area", "bilinear")
NONE = "none"
KINDS = (NONE, *PRESET_KEYS, AUDIO, "sensor", "image")
YUV_RANGES = ("full", "limited")


@dataclass(frozen=True)
class SensorKeys:
    """Filters and standardisation of 16-bit samples, of kind "sensor"; the input is [rows, channels].

    Attributes:
        rate: samples a second.
        means: of each channel behind the filters, in a sample's least bit.
        deviations: the same.
        highpass_hz: corner of a Butterworth filter of second order; 0 for none.
        lowpass_hz: the same.
        keep: every keep-th sample becomes a row.
        hop: rows from one input to the next; 0 for half of an input's.
    """

    rate: float = 50.0
    means: tuple[float, ...] = ()
    deviations: tuple[float, ...] = ()
    highpass_hz: float = 0.0
    lowpass_hz: float = 0.0
    keep: int = 1
    hop: int = 0

    def __post_init__(self) -> None:
        bounded(self.rate, 0.01, 1e6, "rate")
        same = len(self.means) == len(self.deviations)
        require(same, "deviations", f"must be {len(self.means)} numbers, as means are")
        bounded(self.highpass_hz, 0, self.rate / 2, "highpass_hz")
        bounded(self.lowpass_hz, 0, self.rate / 2, "lowpass_hz")
        bounded(self.keep, 1, 255, "keep")
        bounded(self.hop, 0, 4096, "hop")


@dataclass(frozen=True)
class ImageKeys:
    """A camera's lines, of kind "image"; the input is [height, width, channels].

    Attributes:
        width: of the camera's picture, pixels.
        height: the same.
        crop: x, y, width and height of what is cut out; nothing for the largest part of the input's shape, centred.
        format: of the camera's two bytes a pixel.
        resize: "area", the mean of what lies under a pixel, or "bilinear".
        yuv_range: of YUV, 0 to 255 or 16 to 235.
        means: of each channel, of pixels from 0 to 1; nothing for 0.
        deviations: the same; nothing for 1.
    """

    width: int = 320
    height: int = 240
    crop: tuple[int, ...] = ()
    format: Annotated[str, OneOf(FORMATS)] = FORMATS[0]
    resize: Annotated[str, OneOf(RESIZES)] = RESIZES[0]
    yuv_range: Annotated[str, OneOf(YUV_RANGES)] = YUV_RANGES[0]
    means: tuple[float, ...] = ()
    deviations: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        bounded(self.width, 2, 8192, "width")
        bounded(self.height, 2, 8192, "height")
        require(len(self.crop) in (0, 4), "crop", "must be x, y, width and height, or nothing")
        require(self.format in FORMATS, "format", f"must be one of {', '.join(FORMATS)}")
        require(self.resize in RESIZES, "resize", f"must be one of {', '.join(RESIZES)}")
        require(self.yuv_range in YUV_RANGES, "yuv_range", f"must be one of {', '.join(YUV_RANGES)}")


@dataclass(frozen=True)
class DetectorKeys:
    """A posterior smoother and its threshold, behind a network whose outputs are probabilities or
    logits.

    Attributes:
        classes: numbers of those that are events; nothing for no detector.
        threshold: of the mean of the newest `average` outputs of a class; `dimmer detect` finds it.
        average: inferences.
        quiet: inferences after a detection that detect nothing.
    """

    classes: tuple[int, ...] = ()
    threshold: float = 0.8
    average: int = 4
    quiet: int = 10

    def __post_init__(self) -> None:
        require(all(0 <= label < 255 for label in self.classes), "classes", "must be numbers of classes from 0 on")
        bounded(self.threshold, -1e6, 1e6, "threshold")
        bounded(self.average, 1, 255, "average")
        bounded(self.quiet, 0, 65_535, "quiet")


@dataclass(frozen=True)
class ActivityKeys:
    """A gate that leaves inferences out while nothing is heard, of kinds of audio.

    Attributes:
        margin_db: that a row's bands lie over the quietest of late, on an average, for the gate to open; 0 for no gate.
        rise: share by which the floor follows what is louder, each row.
        fall: what is quieter.
        hold: rows for which it stays open.
    """

    margin_db: float = 0.0
    rise: float = 0.002
    fall: float = 0.25
    hold: int = 50

    def __post_init__(self) -> None:
        bounded(self.margin_db, 0, 96, "margin_db")
        bounded(self.rise, 0, 0.999, "rise")
        bounded(self.fall, 0, 0.999, "fall")
        bounded(self.hold, 0, 65_534, "hold")


@dataclass(frozen=True)
class FeaturesSection:
    """What the device makes of its samples before the network sees them, and of the network's outputs.

    Attributes:
        kind: "none", the front end of a published model, or one with keys of its own.
        audio: of kind "audio".
        sensor: of kind "sensor".
        image: of kind "image".
        detector: what a stream of inferences comes to.
        activity: inferences left out.
    """

    kind: Annotated[str, OneOf(KINDS)] = NONE
    audio: AudioKeys = field(default_factory=AudioKeys)
    sensor: SensorKeys = field(default_factory=SensorKeys)
    image: ImageKeys = field(default_factory=ImageKeys)
    detector: DetectorKeys = field(default_factory=DetectorKeys)
    activity: ActivityKeys = field(default_factory=ActivityKeys)

    def __post_init__(self) -> None:
        require(self.kind in KINDS, "kind", f"must be one of {', '.join(KINDS)}")
        require(
            self.heard is not None or not self.activity.margin_db,
            "activity",
            "must have margin_db 0 where the kind is no audio",
        )
        require(self.kind != "sensor" or bool(self.sensor.means), "sensor", "must have means and deviations")

    @property
    def wanted(self) -> bool:
        """Whether anything is made."""
        return self.kind != NONE or bool(self.detector.classes)

    @property
    def heard(self) -> Heard | None:
        """What recordings become, in training as on the device; None of other kinds."""
        if self.kind == AUDIO:
            return Heard(AUDIO, self.audio)
        return Heard(self.kind, PRESET_KEYS[self.kind]) if self.kind in PRESET_KEYS else None
