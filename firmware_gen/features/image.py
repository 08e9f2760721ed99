# SPDX-License-Identifier: Apache-2.0
"""A camera's lines into a network's input: parameters, tables, and in integers what features/image.c computes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dimmer.firmware_gen.features.fixed import Ints
from dimmer.firmware_gen.features.spec import Codes, check, within

FORMATS = ("rgb565-le", "rgb565-be", "yuyv", "uyvy")
RESIZES = ("area", "bilinear")
COLOURS = {"full": (256, 0, 359, 88, 183, 454), "limited": (298, 16, 409, 100, 208, 516)}
"""ITU-R BT.601, Q8: of Y and what is taken from it, of V in red, of U and V in green, of U in blue."""
_MOST_PIXELS = (2**32 - 1) // 255


@dataclass(frozen=True)
class ImageSpec:
    """What becomes of a camera's picture; value = (pixel / 255 - mean) / deviation.

    Attributes:
        width, height: of the camera's picture, pixels.
        crop: x, y, width and height of what is cut out of it.
        to_width, to_height: of the input.
        means, deviations: of the input's channels: three (red, green, blue), or one (grey).
        codes: of the values.
        format: of two bytes a pixel, one of FORMATS.
        resize: "area", the mean of what lies under a pixel, or "bilinear".
        yuv_range: of YUV, "full" (0 to 255) or "limited" (16 to 235).
    """

    width: int
    height: int
    crop: tuple[int, int, int, int]
    to_width: int
    to_height: int
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    codes: Codes
    format: str = "rgb565-le"
    resize: str = "area"
    yuv_range: str = "full"

    def __post_init__(self) -> None:
        for key in ("width", "height"):
            within(getattr(self, key), 2, 8192, key)
        check(self.width % 2 == 0, "width", "must be even: two pixels are four bytes")
        check(len(self.crop) == 4, "crop", "must be x, y, width and height")
        x, y, width, height = self.crop
        check(x >= 0 and width > 0 and x + width <= self.width, "crop", f"must lie within {self.width} columns")
        check(y >= 0 and height > 0 and y + height <= self.height, "crop", f"must lie within {self.height} lines")
        check(256 < width * height <= _MOST_PIXELS, "crop", f"must hold 257 to {_MOST_PIXELS} pixels")
        for key in ("to_width", "to_height"):
            within(getattr(self, key), 1, 1024, key)
        check(len(self.means) in (1, 3), "means", "must be three numbers (red, green, blue), or one (grey)")
        check(len(self.deviations) == len(self.means), "deviations", f"must be {len(self.means)} numbers, as means are")
        for mean, deviation in zip(self.means, self.deviations, strict=True):
            within(mean, -2, 2, "means")
            within(deviation, 0.002, 255, "deviations")
        check(self.format in FORMATS, "format", f"must be one of {', '.join(FORMATS)}")
        check(self.resize in RESIZES, "resize", f"must be one of {', '.join(RESIZES)}")
        check(self.yuv_range in COLOURS, "yuv_range", f"must be one of {', '.join(COLOURS)}")

    @property
    def channels(self) -> int:
        """Of the input."""
        return len(self.means)

    @property
    def memory(self) -> int:
        """Bytes of a stream, as DIMMER_IMAGE_BYTES of the runtime has it."""
        return 8 * self.to_width * self.channels


@dataclass(frozen=True)
class ImageTables:
    """The fields of dimmer_image_t.

    Attributes:
        columns, rows: places of the input's columns and rows in what is cut out, Q8; of bilinear.
        multipliers, offsets: code = (value * multiplier + offset) >> shift, value Q8.
    """

    spec: ImageSpec
    reciprocal: int
    columns: tuple[int, ...]
    rows: tuple[int, ...]
    multipliers: tuple[int, ...]
    offsets: tuple[int, ...]
    shift: int

    @property
    def flash(self) -> int:
        """Bytes of the tables."""
        places = 4 * (len(self.columns) + len(self.rows)) if self.spec.resize == "bilinear" else 0
        return places + 12 + 8 * self.spec.channels


def image_tables(spec: ImageSpec) -> ImageTables:
    """The tables of a camera's front end.

    Raises:
        SpecError: means and deviations make codes that 32 bits cannot hold.
    """
    _, _, width, height = spec.crop
    gains = [1 / (256 * 255 * deviation * spec.codes.scale) for deviation in spec.deviations]
    biases = [
        spec.codes.zero_point - mean / deviation / spec.codes.scale
        for mean, deviation in zip(spec.means, spec.deviations, strict=True)
    ]
    # value * multiplier stays below 2^30, and so does the offset.
    shift = 30
    while shift and (max(gains) * 2.0**shift >= 2**14 or max(map(abs, biases)) * 2.0**shift >= 2**29):
        shift -= 1
    check(max(gains) * 2.0**shift < 2**14, "deviations", "must be larger, or the codes' scale: codes overflow")
    check(max(map(abs, biases)) * 2.0**shift < 2**29, "means", "must be smaller: codes overflow")
    check(
        min(gains) * 2.0**shift >= 64, "deviations", "must be smaller, or closer to one another: codes are too coarse"
    )
    half = 1 << (shift - 1) if shift else 0
    return ImageTables(
        spec,
        -(-(1 << 40) // (width * height)),
        _places(width, spec.to_width),
        _places(height, spec.to_height),
        tuple(round(gain * 2.0**shift) for gain in gains),
        tuple(round(bias * 2.0**shift) + half for bias in biases),
        shift,
    )


def image_input(tables: ImageTables, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.int8]:
    """The input of a picture.

    Args:
        picture: uint8[height, 2 * width], as the camera sends it.

    Returns:
        int8[to_height, to_width, channels].
    """
    spec = tables.spec
    x, y, width, height = spec.crop
    pixels = pixels_of(spec, picture)[y : y + height, x : x + width]
    if spec.resize == "area":
        values = _shares(height, spec.to_height) @ pixels.transpose(2, 0, 1) @ _shares(width, spec.to_width).T
        # In parts: a product of 32 and 32 bits is one of 64 without a sign.
        wide = (values.astype(np.uint64) * np.uint64(tables.reciprocal)) >> np.uint64(32)
        values = wide.astype(np.int64).transpose(1, 2, 0)
    else:
        place, below = np.array(tables.columns) >> 8, (np.array(tables.columns) & 255)[:, None]
        lines = pixels[:, place] * (256 - below) + pixels[:, np.minimum(place + 1, width - 1)] * below
        place, below = np.array(tables.rows) >> 8, (np.array(tables.rows) & 255)[:, None, None]
        values = (lines[place] * (256 - below) + lines[np.minimum(place + 1, height - 1)] * below) >> 8
    made = (values * np.array(tables.multipliers) + np.array(tables.offsets)) >> tables.shift
    return np.asarray(np.clip(made, -128, 127), dtype=np.int8)


def pixels_of(spec: ImageSpec, picture: npt.NDArray[np.uint8]) -> Ints:
    """Red, green and blue, or grey, 0 to 255: int64[height, width, channels]."""
    raw = np.asarray(picture, dtype=np.int64).reshape(spec.height, spec.width, 2)
    if spec.format.startswith("rgb565"):
        high, low = (raw[..., 1], raw[..., 0]) if spec.format == "rgb565-le" else (raw[..., 0], raw[..., 1])
        red, green, blue = high >> 3, (high & 7) << 3 | low >> 5, low & 31
        found = [red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2]
        if spec.channels == 1:
            found = [(77 * found[0] + 150 * found[1] + 29 * found[2] + 128) >> 8]
        return np.stack(found, axis=-1)
    first = 0 if spec.format == "yuyv" else 1
    of = COLOURS[spec.yuv_range]
    y = of[0] * (raw[..., first] - of[1]) + 128
    colour = raw[..., 1 - first] - 128
    u, v = (np.repeat(colour[:, start::2], 2, axis=1) for start in (0, 1))
    found = [y] if spec.channels == 1 else [y + of[2] * v, y - of[3] * u - of[4] * v, y + of[5] * u]
    return np.asarray(np.clip(np.stack(found, axis=-1) >> 8, 0, 255), dtype=np.int64)


def _shares(size: int, to: int) -> Ints:
    """How much of each of `size` pixels lies under each of `to`, in parts of which a pixel has `to`.

    Returns:
        int64[to, size].
    """
    begin, end = np.arange(to)[:, None] * size, (np.arange(to)[:, None] + 1) * size
    first, last = np.arange(size) * to, (np.arange(size) + 1) * to
    return np.asarray(np.maximum(0, np.minimum(end, last) - np.maximum(begin, first)), dtype=np.int64)


def _places(size: int, to: int) -> tuple[int, ...]:
    """Centres of `to` pixels among `size`, Q8, from 0 to the last one."""
    return tuple(min(max(0, (2 * i + 1) * size * 128 // to - 128), (size - 1) * 256) for i in range(to))
