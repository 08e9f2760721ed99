# SPDX-License-Identifier: Apache-2.0
"""Images of every mode, size and turn as the device sees them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.data.readers.images import files, read_image, samples
from dimmer.pipeline.data.readers.sample import Problem
from tests.own_data import own, write_images


def section(size: tuple[int, int] = (8, 8), colour: str = "rgb", fit: str = "crop") -> DataSection:
    return DataSection("images", "d", classes=("dark", "light"), size=size, colour=colour, fit=fit)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "I;16"])
@pytest.mark.parametrize("colour", ["grey", "rgb"])
def test_every_mode_becomes_the_wanted_one(tmp_path: Path, mode: str, colour: str) -> None:
    if mode.startswith("I"):
        image = Image.fromarray(np.full((20, 30), 200 << 8, np.uint16))
    else:
        image = Image.new("RGB", (30, 20), (200, 200, 200)).convert(mode)
    path = tmp_path / ("a.jpg" if mode in ("CMYK", "YCbCr") else "a.png")
    image.save(path)
    found = read_image(path, section(colour=colour))
    assert found.dtype == np.uint8
    assert found.shape == (8, 8, 1 if colour == "grey" else 3)
    wanted = 255 if mode == "1" else 200
    assert np.abs(found.astype(int).mean() - wanted) < (90 if mode == "1" else 3)


def test_what_is_transparent_is_black_whatever_lies_below(tmp_path: Path) -> None:
    Image.new("RGBA", (9, 9), (255, 255, 255, 0)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", section()).max() == 0


def test_exif_turns_the_image(tmp_path: Path) -> None:
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, 8:] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    turned = read_image(tmp_path / "a.png", section((16, 8)))
    assert (turned[:8].mean(), turned[8:].mean()) == (0, 255)


@pytest.mark.parametrize(("fit", "corner", "middle"), [("crop", 255, 255), ("pad", 0, 255), ("stretch", 255, 255)])
def test_other_proportions(tmp_path: Path, fit: str, corner: int, middle: int) -> None:
    Image.new("L", (40, 10), 255).save(tmp_path / "a.png")
    found = read_image(tmp_path / "a.png", section((16, 16), "grey", fit))
    assert (found[0, 0, 0], found[8, 8, 0]) == (corner, middle)


def test_broken_ones_are_named_and_the_others_come(tmp_path: Path) -> None:
    write_images(tmp_path / "d", {"dark": 3, "light": 3})
    (tmp_path / "d" / "dark" / "cut.png").write_bytes((tmp_path / "d" / "dark" / "0.png").read_bytes()[:60])
    (tmp_path / "d" / "dark" / "text.jpg").write_text("no image")
    problems: list[Problem] = []
    data = own(tmp_path, section())
    found = list(samples(data, problems))
    assert len(files(data)) == 8
    assert len(found) == 6
    assert [problem.name for problem in problems] == ["dark/cut.png", "dark/text.jpg"]
    assert all("cannot be decoded" in problem.reason for problem in problems)


def test_a_file_that_claims_too_many_pixels_is_not_decoded(tmp_path: Path) -> None:
    Image.new("1", (12000, 9000)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="12000 x 9000 pixels are too many"):
        read_image(tmp_path / "a.png", section())
