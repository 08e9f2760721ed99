# SPDX-License-Identifier: Apache-2.0
"""Tar archives of images, as WebDataset has them: files that follow each other and have one name are a sample.

`00017.jpg` and `00017.cls` are an image and its class: a number from 0 in the order of [data] classes, or a name. What
else there is of a sample is left alone. The archive's split is its sub-folder, or a word of its name, as in
`imagenet1k-train-0042.tar`.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import OwnData
from dimmer.pipeline.data.readers.images import SUFFIXES as IMAGES
from dimmer.pipeline.data.readers.images import decoded
from dimmer.pipeline.data.readers.sample import (
    NOTHING,
    Encoded,
    Problem,
    Sample,
    files_below,
    regular,
    shown_name,
    split_of,
)
from dimmer.toml import plain

SUFFIXES = frozenset({".tar"})
LABEL = "cls"
_LONGEST_LABEL = 400
"""Bytes of a class's name."""


def files(data: OwnData) -> tuple[Path, ...]:
    """The archives.

    Raises:
        DimmerError: the folder cannot be read, or has none.
    """
    found = files_below(data.place, SUFFIXES)
    if not found:
        raise DimmerError(f"{plain(str(data.place))} has no file that ends in .tar: correct [data] path")
    return found


def samples(data: OwnData, problems: list[Problem]) -> Iterator[Sample]:
    """Every image that can be read, uint8[H,W,C]; the others are named.

    Raises:
        DimmerError: the folder cannot be read.
    """
    yield from decoded(encoded(data, problems), data.section, problems)


def encoded(data: OwnData, problems: list[Problem]) -> Iterator[Encoded]:
    """Every image with a class, not decoded, shard by shard.

    Raises:
        DimmerError: the folder cannot be read.
    """
    found = list(regular(files(data), data.place, problems))
    are_named = any(split_of_shard(path.relative_to(data.place)) for path in found)
    for path in found:
        name = shown_name(path, data.place)
        if are_named and not split_of_shard(path.relative_to(data.place)):
            # It could be one that nobody may train on.
            problems.append(Problem(name, "names no split (train, val, test), as other archives do, and is left out"))
            continue
        try:
            # Not "r": within a compressed archive nothing has a place of its own.
            with tarfile.open(path, "r:") as archive:
                yield from _of_archive(archive, path, name, data, problems)
        except (tarfile.TarError, OSError, EOFError) as error:
            why = (str(error).strip() or type(error).__name__).splitlines()[0]
            problems.append(Problem(name, f"is no whole tar archive without compression ({plain(why)})"))


def split_of_shard(inner: Path) -> str:
    """Of an archive's path below the folder: its first folder, or the first word of its name that is a split.

    Examples:
        >>> split_of_shard(Path("imagenet1k-validation-03.tar")), split_of_shard(Path("0001.tar"))
        ('val', '')
    """
    words = (*inner.parts[:-1][:1], *re.split(r"[-_.]", inner.stem))
    return next((found for word in words if (found := split_of(word))), "")


def _of_archive(
    archive: tarfile.TarFile, path: Path, shard: str, data: OwnData, problems: list[Problem]
) -> Iterator[Encoded]:
    split = split_of_shard(path.relative_to(data.place))
    key, image, label = "", None, ""
    for member in archive:
        if not member.isfile():
            continue
        folder, _, base = member.name.rpartition("/")
        stem, _, ending = base.partition(".")
        if (own := f"{folder}/{stem}") != key:
            yield from _sample(path, shard, split, image, label, data, problems)
            key, image, label = own, None, ""
        if ending.lower() == LABEL and member.size <= _LONGEST_LABEL:
            file = archive.extractfile(member)
            label = "" if file is None else file.read().decode(errors="replace").strip()
        elif image is None and f".{ending.lower()}" in IMAGES:
            image = member
    yield from _sample(path, shard, split, image, label, data, problems)


def _sample(
    path: Path,
    shard: str,
    split: str,
    image: tarfile.TarInfo | None,
    label: str,
    data: OwnData,
    problems: list[Problem],
) -> Iterator[Encoded]:
    """The sample that ends here, if it is one."""
    if image is None:
        return
    name, classes = f"{shard}: {plain(image.name)}", data.section.classes
    if label.isdecimal() and label not in classes and int(label) < len(classes):
        label = classes[int(label)]
    if not label:
        problems.append(Problem(name, f"has no .{LABEL} beside it, which would be its class"))
    elif not image.size:
        problems.append(Problem(name, "is empty"))
    else:
        yield Encoded(Sample(name, NOTHING, (label,), "", split), path, image.offset_data, image.size)
