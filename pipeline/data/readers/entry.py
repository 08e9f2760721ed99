# SPDX-License-Identifier: Apache-2.0
"""A function of the user's own that gives the data: ``module:function`` in the recipe's or the project's folder.

It takes nothing and gives a mapping of arrays: ``x``, or of several inputs each by its name, [N, ...] of uint8 codes or
of floats, and those that [data] label, group and split name.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
import traceback
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import OwnData
from dimmer.pipeline.data.readers.sample import Problem, Sample
from dimmer.pipeline.data.readers.tables import of_arrays
from dimmer.project import project
from dimmer.toml import plain


def files(data: OwnData) -> tuple[Path, ...]:
    """The module's file; what it reads is known by its contents alone, see `contents`.

    Raises:
        DimmerError: there is no such module.
    """
    arrays(data)
    path = getattr(sys.modules[data.section.path.partition(":")[0]], "__file__", None)
    return (Path(path),) if path else ()


def contents(data: OwnData) -> str:
    """SHA-256 over the arrays that the function gives.

    Raises:
        DimmerError: as `samples`.
    """
    digest = hashlib.sha256()
    for key, array in sorted(arrays(data).items()):
        plainly = array if array.dtype != object else array.astype(str)
        digest.update(f"{key} {plainly.dtype} {plainly.shape}\n".encode())
        digest.update(np.ascontiguousarray(plainly).tobytes())
    return digest.hexdigest()


def samples(data: OwnData, problems: list[Problem]) -> Iterator[Sample]:
    """A sample for each row of ``x``.

    Raises:
        DimmerError: there is no such function, it fails, or gives something else.
    """
    try:
        yield from of_arrays(data.section, arrays(data), data.section.path, (), "", problems)
    except ValueError as error:
        raise DimmerError(f"[data] path {data.section.path}: {plain(str(error))}") from error


def arrays(data: OwnData) -> dict[str, NDArray[Any]]:
    """What the function gives: name -> array.

    Raises:
        DimmerError: there is no such function, it fails, or gives something else.
    """
    home = project(data.folder).folder or data.folder
    return _called(data.section.path, tuple(dict.fromkeys((str(data.folder), str(home)))))


@lru_cache(maxsize=4)
def _called(path: str, folders: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """What the function gives, asked once in a process."""
    module, _, function = path.partition(":")
    before = sys.path[:]
    # Its own modules may be imported, too; its folders come behind those of packages, whose names they cannot take.
    sys.path.extend(folders)
    try:
        importlib.invalidate_caches()
        found = getattr(importlib.import_module(module), function)()
        if not isinstance(found, Mapping):
            raise TypeError(f"{function} gives {type(found).__name__}, not a mapping of arrays")
        for key, value in found.items():
            if isinstance(value, Mapping):
                raise TypeError(f"{key!r} holds several arrays: give each its own name, and name it in [[data.inputs]]")
        return {str(key): np.asarray(value) for key, value in found.items()}
    # Whatever the user's code raises: one that ends the program would end Dimmer as if all were done.
    except (Exception, SystemExit) as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        said = plain(str(error).strip().partition("\n")[0]) or type(error).__name__
        raise DimmerError(
            f"[data] path {path}: {type(error).__name__}: {said} ({Path(where.filename).name}, line {where.lineno})"
        ) from error
    finally:
        sys.path[:] = before
