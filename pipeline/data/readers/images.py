# SPDX-License-Identifier: Apache-2.0
"""A folder of images: PNG, JPEG and BMP of any size and mode, turned as their EXIF says, brought to one size."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from dimmer.pipeline.data.dataset import Images
from dimmer.pipeline.data.door import reason_of
from dimmer.pipeline.data.own import CROP, PAD, DataSection, OwnData
from dimmer.pipeline.data.readers.listing import listed, listed_files
from dimmer.pipeline.data.readers.sample import NOTHING, Encoded, Problem, Sample
from dimmer.toml import plain

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp"})
_FORMATS = ("PNG", "JPEG", "BMP")
_MOST_PIXELS = 100_000_000


def files(data: OwnData) -> tuple[Path, ...]:
    """The images, and the table where there is one.

    Raises:
        DimmerError: the folder cannot be read, or has no images.
    """
    return listed_files(data, SUFFIXES)


def samples(data: OwnData, problems: list[Problem]) -> Iterator[Sample]:
    """Every image that can be read, uint8[H,W,C]; the others are named.

    Raises:
        DimmerError: the folder or the table cannot be read.
    """
    yield from decoded(encoded(data, problems), data.section, problems)


def encoded(data: OwnData, problems: list[Problem]) -> Iterator[Encoded]:
    """Every image that is listed, not decoded.

    Raises:
        DimmerError: the folder or the table cannot be read.
    """
    for entry in listed(data, SUFFIXES, problems):
        sample = Sample(entry.name, NOTHING, entry.labels, entry.group, entry.split)
        try:
            size = entry.path.stat().st_size
        except OSError as error:
            problems.append(Problem(entry.name, f"cannot be read ({reason_of(error)})"))
            continue
        yield Encoded(sample, entry.path, 0, size)


def decoded(entries: Iterator[Encoded], section: DataSection, problems: list[Problem]) -> Iterator[Sample]:
    """The images of those that can be decoded, uint8[H,W,C]; the others are named."""
    for entry in entries:
        try:
            array = read_image(BytesIO(entry.read()), section)
        except ModuleNotFoundError:
            raise
        # Of a broken file the decoders raise whatever comes to them: SyntaxError, struct.error, zlib.error and more.
        except Exception as error:
            problems.append(Problem(entry.sample.name, why_not(error)))
            continue
        yield replace(entry.sample, array=array)


def why_not(error: Exception) -> str:
    """Of an image that cannot be decoded, what is wrong with it."""
    return f"cannot be decoded ({plain(_first_line(error))})"


def read_image(path: Path | BinaryIO, section: DataSection) -> Images:
    """One image as the network sees it: uint8[H,W,C], colours in the order red, green, blue.

    What is transparent lies on black; of several pictures in a file the first counts.

    Raises:
        Exception: of any kind, where the file is broken.
    """
    from PIL import Image, ImageOps

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path, formats=_FORMATS) as opened:
            if opened.width * opened.height > _MOST_PIXELS:
                raise ValueError(f"{opened.width} x {opened.height} pixels are too many")
            opened.load()
            image = ImageOps.exif_transpose(opened)
            fitted = _fitted(_in_colour(image, section.colour), section)
            array = np.asarray(fitted, np.uint8)
    return array if array.ndim == 3 else array[:, :, np.newaxis]


def _in_colour(image: Image, colour: str) -> Image:
    from PIL import Image as Pillow

    if image.mode.startswith("I"):
        # 16 bits a pixel: Pillow's own conversion would clip them at 255.
        wide = np.asarray(image).astype(np.int64)
        image = Pillow.fromarray(np.clip(wide >> 8, 0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        coloured = image.convert("RGBA")
        ground = Pillow.new("RGBA", coloured.size, (0, 0, 0, 255))
        image = Pillow.alpha_composite(ground, coloured)
    return image.convert("L" if colour == "grey" else "RGB")


def _fitted(image: Image, section: DataSection) -> Image:
    from PIL import Image as Pillow
    from PIL import ImageOps

    height, width = section.size
    if section.fit == CROP:
        return ImageOps.fit(image, (width, height), Pillow.Resampling.BILINEAR)
    if section.fit == PAD:
        return ImageOps.pad(image, (width, height), Pillow.Resampling.BILINEAR)
    return image.resize((width, height), Pillow.Resampling.BILINEAR)


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
