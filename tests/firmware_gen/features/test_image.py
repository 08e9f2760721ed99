# SPDX-License-Identifier: Apache-2.0
"""Cameras: what comes of their lines equals the reference, and the reference is a resized picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from dimmer.firmware_gen.features.image import ImageSpec, image_input, image_tables, pixels_of
from dimmer.firmware_gen.features.spec import Codes, SpecError
from tests.firmware_gen.features.on_target import FEW, made, on_all

PIXELS = Codes(1 / 255, -128)
"""Code = pixel - 128, where mean is 0 and deviation 1."""

AREA = ImageSpec(
    width=80,
    height=60,
    crop=(11, 3, 61, 55),
    to_width=32,
    to_height=24,
    means=(0.0, 0.0, 0.0),
    deviations=(1.0, 1.0, 1.0),
    codes=PIXELS,
)
FRONTS = {
    "area": AREA,
    "bilinear": replace(AREA, resize="bilinear", format="rgb565-be"),
    "normalised": replace(
        AREA, means=(0.485, 0.456, 0.406), deviations=(0.229, 0.224, 0.225), codes=Codes(0.0186584, -14)
    ),
    "grey": replace(AREA, means=(0.5,), deviations=(0.5,), codes=Codes(1 / 128, 0), crop=(0, 0, 80, 60)),
    "yuv": replace(AREA, format="yuyv", resize="bilinear", yuv_range="limited"),
    "grey yuv": replace(AREA, format="uyvy", means=(0.0,), deviations=(1.0,)),
    "larger": replace(AREA, crop=(5, 5, 20, 17), to_width=48, to_height=50, resize="bilinear"),
    "larger area": replace(AREA, crop=(5, 5, 20, 17), to_width=48, to_height=50, format="uyvy"),
    "smaller": replace(AREA, crop=(0, 0, 80, 60), to_width=3, to_height=2, resize="bilinear"),
}
Picture = npt.NDArray[np.uint8]


def pictures(spec: ImageSpec, count: int, seed: int) -> Picture:
    """Noise, and plain ones of the least and the largest values."""
    found = np.random.default_rng(seed).integers(0, 256, (count, spec.height, 2 * spec.width), dtype=np.uint8)
    found[:2] = [[[0]], [[255]]]
    return found


@pytest.mark.parametrize(("front", "name"), on_all(*FRONTS, by_default=FEW))
def test_pictures_line_by_line(tmp_path: Path, front: str, name: str) -> None:
    tables = image_tables(FRONTS[front])
    seen = pictures(tables.spec, 5, 1)
    wanted = b"".join(image_input(tables, picture).tobytes() for picture in seen)
    assert made(name, tmp_path, tables, seen, len(seen)) == wanted


@pytest.mark.slow
@pytest.mark.parametrize(("front", "name"), on_all(*FRONTS))
def test_a_thousand_pictures(tmp_path: Path, front: str, name: str) -> None:
    tables = image_tables(FRONTS[front])
    seen = pictures(tables.spec, 1000, 2)
    wanted = b"".join(image_input(tables, picture).tobytes() for picture in seen)
    assert made(name, tmp_path, tables, seen, len(seen)) == wanted


def packed(rgb: npt.NDArray[np.int64]) -> Picture:
    """Pixels as RGB565, lower byte first."""
    word = (rgb[..., 0] >> 3) << 11 | (rgb[..., 1] >> 2) << 5 | rgb[..., 2] >> 3
    return np.stack([word & 255, word >> 8], axis=-1).reshape(len(rgb), -1).astype(np.uint8)


def test_a_whole_factor_is_the_mean_of_its_pixels() -> None:
    spec = replace(AREA, crop=(8, 12, 64, 48), to_width=16, to_height=12)
    (picture,) = pictures(spec, 3, 3)[2:]
    pixels = pixels_of(spec, picture)[12:60, 8:72]
    means = pixels.reshape(12, 4, 16, 4, 3).mean(axis=(1, 3))
    # The mean is kept with eight bits behind the point, and then rounded.
    assert np.abs(image_input(image_tables(spec), picture).astype(int) + 128 - means).max() <= 0.51


@pytest.mark.parametrize("resize", ["area", "bilinear"])
def test_a_gradient_stays_one(resize: str) -> None:
    spec = replace(AREA, crop=(0, 0, 80, 60), to_width=20, to_height=15, resize=resize)
    gradient = np.broadcast_to((np.arange(80) * 3)[None, :, None], (60, 80, 3)).astype(np.int64)
    found = image_input(image_tables(spec), packed(gradient)).astype(int) + 128
    centres = (np.arange(20) + 0.5) * 4 - 0.5
    # RGB565 keeps 5 bits of red.
    assert np.abs(found[:, :, 0] - centres * 3).max() < 8
    assert (found == found[:1]).all()


def test_the_pixels_of_a_picture_are_what_was_packed() -> None:
    rng = np.random.default_rng(4)
    rgb = rng.integers(0, 256, (60, 80, 3))
    seen = pixels_of(AREA, packed(rgb))
    assert np.abs(seen - rgb).max() < 8
    swapped = packed(rgb).reshape(60, 80, 2)[..., ::-1].reshape(60, 160)
    assert np.array_equal(pixels_of(replace(AREA, format="rgb565-be"), swapped), seen)


@pytest.mark.parametrize(
    ("yuv", "rgb", "kind"),
    [
        ((0, 128, 128), (0, 0, 0), "full"),
        ((255, 128, 128), (255, 255, 255), "full"),
        ((76, 85, 255), (254, 0, 0), "full"),
        ((29, 255, 107), (0, 0, 254), "full"),
        ((16, 128, 128), (0, 0, 0), "limited"),
        ((235, 128, 128), (255, 255, 255), "limited"),
    ],
)
def test_yuv_is_bt_601(yuv: tuple[int, int, int], rgb: tuple[int, int, int], kind: str) -> None:
    y, u, v = yuv
    picture = np.tile(np.array([y, u, y, v], dtype=np.uint8), (60, 40))
    found = pixels_of(replace(AREA, format="yuyv", yuv_range=kind), picture)
    assert np.abs(found - np.array(rgb)).max() <= 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"crop": (30, 0, 61, 55)}, "crop must lie within 80 columns"),
        ({"crop": (0, 10, 61, 55)}, "crop must lie within 60 lines"),
        ({"crop": (0, 0, 8, 8)}, "crop must hold 257"),
        ({"width": 81}, "width must be even"),
        ({"means": (0.0, 0.0)}, "means must be three numbers"),
        ({"format": "rgb888"}, "format must be one of rgb565-le"),
        ({"resize": "cubic"}, "resize must be one of area"),
        ({"to_width": 0}, "to_width must be 1 to 1024"),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        replace(AREA, **change)  # type: ignore[arg-type]


def test_codes_that_overflow_are_refused() -> None:
    with pytest.raises(SpecError, match="closer to one another"):
        image_tables(replace(AREA, deviations=(0.002, 200.0, 1.0)))
