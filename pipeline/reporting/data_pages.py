# SPDX-License-Identifier: Apache-2.0
"""A data set as somebody looks at it: samples as the device sees them, which are where, what was left out."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.data.dataset import Dataset, Split
from dimmer.pipeline.data.prepare import Facts
from dimmer.pipeline.data.scale import parts_of

EACH, ROWS = 12, 20
"""Samples in a row of the sheet, and rows: a class each."""
_GAP = 2
_HEIGHT, _MOST_WIDTH = 48, 96


def write_pages(data: Dataset, facts: Facts | None, out: Path) -> list[Path]:
    """samples.png; of data of one's own splits.csv, where each sample is, and problems.txt."""
    sheet = io.BytesIO()
    _save_png(contact_sheet(data.train, len(data.classes), data.inputs), sheet)
    texts: dict[str, bytes | str] = {"samples.png": sheet.getvalue()}
    if facts is not None:
        table = io.StringIO()
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(("sample", "split"))
        rows.writerows((name, split) for split, names in facts.names.items() for name in names)
        texts["splits.csv"] = table.getvalue()
        texts["problems.txt"] = "".join(f"{problem}\n" for problem in facts.problems)
    for name, content in texts.items():
        atomic_write(out / name, content)
    return [out / name for name in texts]


def contact_sheet(split: Split, classes: int, inputs: tuple[tuple[int, int, int], ...] = ()) -> NDArray[np.uint8]:
    """uint8[H,W,3]: samples of each class in a row; of other tasks the first samples. Series are drawn as curves,
    several inputs of a sample below each other.

    Args:
        inputs: of several (H, W, C) of each.
    """
    if split.labels.ndim == 1:
        rows = [np.flatnonzero(split.labels == number)[:EACH] for number in range(min(classes, ROWS))]
    else:
        rows = [np.arange(start, min(start + EACH, len(split))) for start in range(0, min(len(split), 4 * EACH), EACH)]
    tiles = [[_tiles(split.images[index], inputs) for index in row] for row in rows]
    height, width = _tiles(split.images[0], inputs).shape[:2]
    sheet = np.full((len(rows) * (height + _GAP) + _GAP, EACH * (width + _GAP) + _GAP, 3), 255, np.uint8)
    for y, row in enumerate(tiles):
        for x, tile in enumerate(row):
            top, left = _GAP + y * (height + _GAP), _GAP + x * (width + _GAP)
            sheet[top : top + height, left : left + width] = tile
    return sheet


def _tiles(image: NDArray[np.uint8], inputs: tuple[tuple[int, int, int], ...]) -> NDArray[np.uint8]:
    """uint8[H,W,C], or [1,1,D] of several inputs -> uint8[h,w,3]."""
    if not inputs:
        return _tile(image)
    tiles = [_tile(part[0]) for part in parts_of(image[np.newaxis], inputs)]
    width = max(tile.shape[1] for tile in tiles)
    return np.concatenate(
        [np.pad(tile, ((0, 0), (0, width - tile.shape[1]), (0, 0)), constant_values=255) for tile in tiles]
    )


def _tile(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8[H,W,C] -> uint8[h,w,3]."""
    height, _, channels = image.shape
    if height == 1:
        return _curve(image[0])
    if channels in (1, 3):
        return np.repeat(image, 3 // channels, axis=2)
    return np.repeat(image.mean(2, keepdims=True).astype(np.uint8), 3, axis=2)


def _curve(series: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8[T,C] codes as one curve: channels of a recording's frame follow each other, others lie over each other."""
    steps, channels = series.shape
    width = min(_MOST_WIDTH, max(steps, 16))
    picture = np.full((_HEIGHT, width, 3), 235, np.uint8)
    for channel in range(channels):
        for x in range(width):
            part = series[x * steps // width : max((x + 1) * steps // width, x * steps // width + 1), channel]
            low, high = (int(value) * (_HEIGHT - 1) // 255 for value in (part.min(), part.max()))
            picture[_HEIGHT - 1 - high : _HEIGHT - low, x] = _COLOURS[channel % len(_COLOURS)]
    return picture


_COLOURS = ((31, 119, 180), (214, 39, 40), (44, 160, 44), (148, 103, 189), (255, 127, 14), (23, 190, 207))


def _save_png(picture: NDArray[np.uint8], file: Any) -> None:
    from PIL import Image

    Image.fromarray(picture).save(file, format="PNG")
