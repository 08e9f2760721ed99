# SPDX-License-Identifier: Apache-2.0
"""Windows of time series: CSV or Parquet files, a row a time step or a row a window, and NPZ files of whole windows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.data.door import is_there
from dimmer.pipeline.data.own import DataSection, OwnData
from dimmer.pipeline.data.readers.columns import Column, names_of_columns, numbers, read_columns, text
from dimmer.pipeline.data.readers.sample import Problem, Sample, files_below, regular, shown_name, split_of
from dimmer.toml import plain

NPZ = ".npz"
SUFFIXES = frozenset({".csv", ".parquet", NPZ})
VALUES = "x"
"""Array of an NPZ file that has the windows, float[N,window,channels]."""

_Shape = tuple[int, int, int]


def files(data: OwnData) -> tuple[Path, ...]:
    """The file, or those of the folder.

    Raises:
        DimmerError: it is not there, or has none.
    """
    place = data.place
    if not is_there(place):
        raise DimmerError(f"{plain(str(place))} is not there: correct [data] path")
    if not place.is_dir():
        if place.suffix.lower() not in SUFFIXES:
            raise DimmerError(f"{plain(str(place))} ends in none of {', '.join(sorted(SUFFIXES))}: correct [data] path")
        return (place,)
    found = files_below(place, SUFFIXES)
    if not found:
        kinds = ", ".join(sorted(SUFFIXES))
        raise DimmerError(f"{plain(str(place))} has no file that ends in {kinds}: correct [data] path")
    return found


def samples(data: OwnData, problems: list[Problem]) -> Iterator[Sample]:
    """Windows float32[1,window,channels] of every file that can be read; the others are named.

    Raises:
        DimmerError: nothing is there.
    """
    folder, section = data.place if data.place.is_dir() else data.place.parent, data.section
    columns = section.columns
    for path in regular(files(data), folder, problems):
        name = shown_name(path, folder)
        above = path.relative_to(folder).parts[:-1]
        try:
            if section.rows == "windows" and not columns and path.suffix.lower() != NPZ:
                # The others are read by these names: their columns may stand in another order.
                columns = tuple(key for key in names_of_columns(path) if key not in _columns(section))
            yield from _of_file(section, path, name, above, columns, problems)
        except (DimmerError, ModuleNotFoundError):
            raise
        # Of a broken file the parsers raise whatever comes to them.
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            problems.append(Problem(name, f"cannot be read ({plain(reason)})"))


def _of_file(
    section: DataSection,
    path: Path,
    name: str,
    above: tuple[str, ...],
    of_window: tuple[str, ...],
    problems: list[Problem],
) -> Iterator[Sample]:
    if section.inputs and path.suffix.lower() != NPZ:
        raise ValueError(f"several inputs are arrays of {NPZ} files, or of a function of yours")
    given = split_of(above[0]) if above and above[0] not in section.classes else None
    folders = above[1:] if given else above
    own = () if section.label else folders[:1]
    if not section.label and not own:
        raise ValueError("it lies in no sub-folder, which would be its class, and [data] label names no column")
    if path.suffix.lower() == NPZ:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files if _is_wanted(section, archive, key)}
        yield from of_arrays(section, arrays, name, own, given or "", problems)
        return
    columns = read_columns(path, (*_columns(section), *(section.channels if section.rows == "steps" else of_window)))
    if section.rows == "steps":
        yield from _of_steps(section, columns, name, own, given or "", problems)
    else:
        values = np.stack([numbers(columns[key]) for key in of_window], 1)
        arrays = {VALUES: values, **{key: columns[key] for key in _columns(section)}}
        yield from of_arrays(section, arrays, name, own, given or "", problems)


def _is_wanted(section: DataSection, archive: Any, key: str) -> bool:
    """Whether an array is looked at; of others those that are no numbers are left out, as they cannot be inputs."""
    if key in (*_arrays(section), *_columns(section)):
        return True
    if section.inputs:
        return False
    try:
        return bool(archive[key].dtype.kind in "fiub")
    except ValueError:
        return False


def window_of(values: NDArray[Any], section: DataSection) -> NDArray[Any]:
    """One window as the network sees it: uint8 or float32[1,window,channels].

    Raises:
        ValueError: it has another shape, or values that are missing or no numbers.
    """
    shape, here = section.shape.image_shape, ",".join(map(str, values.shape))
    if values.dtype.kind not in "fiub" or values.size != np.prod(shape):
        wanted = "x".join(str(side) for side in shape if side > 1)
        raise ValueError(f"it is [{here}] of {values.dtype}, the recipe says {wanted}")
    if not _in_order(values.shape, shape):
        raise ValueError(f"it is [{here}], {_wanted(shape, '')}")
    found = values.reshape(shape)
    if found.dtype == np.uint8:
        return found
    found = _float32(found)
    if not np.isfinite(found).all():
        raise ValueError("it has values that are missing or no numbers")
    return found


def of_arrays(
    section: DataSection,
    arrays: Mapping[str, NDArray[Any]],
    name: str,
    own: tuple[str, ...],
    given: str,
    problems: list[Problem],
) -> Iterator[Sample]:
    """A sample for each row of arrays that belong together.

    Args:
        arrays: ``x`` with the samples, and those that the section names.
        own: the class of all, where no array has it.
        given: the split of all, where no array has it.

    Raises:
        ValueError: an array is missing, or of another shape.
    """
    for key in (*_arrays(section), *_columns(section)):
        if key not in arrays:
            raise ValueError(f"it has no array {key!r}")
    if section.inputs:
        yield from of_inputs(section, arrays, name, own, given, problems)
        return
    if (reason := second_input(arrays)) is not None:
        raise ValueError(reason)
    shape = section.shape.image_shape
    x = _checked(arrays, VALUES, shape)
    _check_columns(section, arrays, len(x))
    for row in range(len(x)):
        here = f"{name}, sample {row + 1}"
        values = x[row].reshape(shape)
        if values.dtype != np.uint8:
            values = _float32(values)
            if not np.isfinite(values).all():
                problems.append(Problem(here, "has values that are missing or no numbers"))
                continue
        yield _sample(section, arrays, row, here, values, own, given)


def of_inputs(
    section: DataSection,
    arrays: Mapping[str, NDArray[Any]],
    name: str,
    own: tuple[str, ...],
    given: str,
    problems: list[Problem],
) -> Iterator[Sample]:
    """As `of_arrays`, of several inputs: samples float32[1,1,D], the elements of one input behind those of another.

    Raises:
        ValueError: an array has another shape, or not as many samples as the others.
    """
    inputs = [_checked(arrays, one.name, one.shape) for one in section.inputs]
    count = len(inputs[0])
    for one, x in zip(section.inputs, inputs, strict=True):
        if len(x) != count:
            raise ValueError(f"{one.name!r} has {len(x)} samples, {section.inputs[0].name!r} has {count}")
    _check_columns(section, arrays, count)
    codes = tuple(x.dtype == np.uint8 for x in inputs)
    for row in range(count):
        here = f"{name}, sample {row + 1}"
        values = np.concatenate([_float32(x[row]).ravel() for x in inputs])
        if not np.isfinite(values).all():
            problems.append(Problem(here, "has values that are missing or no numbers"))
            continue
        found = _sample(section, arrays, row, here, values.reshape(1, 1, -1), own, given)
        yield replace(found, codes=codes)


def _checked(arrays: Mapping[str, NDArray[Any]], key: str, shape: _Shape) -> NDArray[Any]:
    """The samples of an input."""
    x = np.asarray(arrays[key])
    here, wanted = ",".join(map(str, x.shape)), "x".join(str(side) for side in shape if side > 1) or "1"
    # A value a sample needs no second dimension.
    if x.ndim < (1 if wanted == "1" else 2) or x[:1].size != np.prod(shape):
        raise ValueError(f"{key!r} is [{here}], the recipe says {wanted} a sample")
    if x.dtype.kind not in "fiub":
        raise ValueError(f"{key!r} holds no numbers")
    if not _in_order(x.shape[1:], shape):
        raise ValueError(f"{key!r} is [{here}], {_wanted(shape, 'N,')}")
    return x


def _in_order(sides: Sequence[int], shape: _Shape) -> bool:
    """Whether a sample has its sides in their order, those of 1 there or not, or all its elements flat."""
    found = [side for side in sides if side > 1]
    return found in ([side for side in shape if side > 1], [side for side in (math.prod(shape),) if side > 1])


def _wanted(shape: _Shape, before: str) -> str:
    """The order in which the dimensions of a sample are expected: of an image, of a series, or of a vector."""
    height, width, _ = shape
    words = ["H", "W", "C"] if height > 1 else ["time", "channels"] if width > 1 else ["values"]
    numbers = ",".join(map(str, shape[-len(words) :]))
    return (
        f"the recipe says [{before}{numbers}], which is [{before}{','.join(words)}]: bring its dimensions into that "
        "order"
    )


def _check_columns(section: DataSection, arrays: Mapping[str, NDArray[Any]], count: int) -> None:
    for key in _columns(section):
        if np.shape(arrays[key]) != (count,):
            raise ValueError(f"{key!r} has not one entry for each of {count} samples")


def _sample(
    section: DataSection,
    arrays: Mapping[str, NDArray[Any]],
    row: int,
    here: str,
    values: NDArray[Any],
    own: tuple[str, ...],
    given: str,
) -> Sample:
    labels = tuple(text(arrays[key][row]) for key in section.label) or own
    group = text(arrays[section.group][row]) if section.group else ""
    return Sample(here, values, labels, group, _split(section, arrays, row, here) or given)


def second_input(arrays: Mapping[str, NDArray[Any]]) -> str | None:
    """Why arrays are refused that hold more than one input or output; None where they hold one of each.

    An array beside ``x`` with several values a sample is another one; left out without a word, it would be missed on
    the device.
    """
    count = len(arrays[VALUES]) if VALUES in arrays and np.ndim(arrays[VALUES]) else 0
    for key, array in arrays.items():
        if key != VALUES and np.ndim(array) > 1 and len(array) == count:
            return (
                f"{key!r} has several values a sample beside {VALUES!r}: name both in [[data.inputs]], put inputs side "
                f"by side into {VALUES!r}, labels into arrays of their own, or leave it out"
            )
    return None


def _differ(a: Column, b: Column) -> NDArray[np.bool_]:
    """bool[N]: where two columns differ; what is missing in both, NaN in a file of numbers, is the same."""
    found: NDArray[np.bool_] = a != b
    return found & ~(np.isnan(a) & np.isnan(b)) if a.dtype.kind == "f" else found


def _of_steps(
    section: DataSection,
    columns: Mapping[str, Column],
    name: str,
    own: tuple[str, ...],
    given: str,
    problems: list[Problem],
) -> Iterator[Sample]:
    """Windows of rows that follow each other and are of one class, group and split."""
    values = np.stack([numbers(columns[channel]) for channel in section.channels], 1)
    keys = [key for key in _columns(section) if key in section.parting or key not in section.label]
    count, step = len(values), section.step or section.window
    begins = np.zeros(count + 1, bool)
    begins[[0, count]] = True
    for key in keys:
        begins[1:count] |= _differ(columns[key][1:], columns[key][:-1])
    edges = np.flatnonzero(begins)
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if last - first < section.window:
            # Rows are counted as an editor counts lines, the first of which has the names.
            problems.append(
                Problem(f"{name}, rows {first + 2} to {last + 1}", f"are fewer than a window of {section.window}")
            )
        for start in range(first, last - section.window + 1, step):
            end = start + section.window
            here = f"{name}, rows {start + 2} to {end + 1}"
            if not np.isfinite(values[start:end]).all():
                problems.append(Problem(here, "have values that are missing or no numbers"))
                continue
            labels = tuple(text(columns[key][end - 1]) for key in section.label) or own
            group = text(columns[section.group][start]) if section.group else ""
            if not group and step < section.window:
                # Windows that overlap share their values.
                group = f"{name}, from row {first + 2}"
            split = _split(section, columns, start, here) or given
            yield Sample(here, values[start:end].reshape(section.shape.image_shape), labels, group, split)


def _arrays(section: DataSection) -> tuple[str, ...]:
    """Those with what a sample is."""
    return tuple(one.name for one in section.inputs) or (VALUES,)


def _columns(section: DataSection) -> tuple[str, ...]:
    return (*section.label, *filter(None, (section.group, section.split)))


def _split(section: DataSection, columns: Mapping[str, Column], row: int, name: str) -> str:
    if not section.split:
        return ""
    word = text(columns[section.split][row])
    found = split_of(word) if word else ""
    if found is None:
        raise DimmerError(f"{name}: the split {plain(word)!r} is none of train, val and test: correct [data] split")
    return found


def _float32(values: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(np.float32)
