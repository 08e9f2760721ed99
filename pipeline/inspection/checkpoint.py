# SPDX-License-Identifier: Apache-2.0
"""The header of a `.safetensors` file, read without torch."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import Json
from dimmer.pipeline.inspection.facts import CheckpointFacts, StoredTensor

RECORD = "dimmer"
_NOTES = "__metadata__"
_MAX_HEADER = 100 << 20
_BYTES = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "I16": 2,
    "U16": 2,
    "F16": 2,
    "BF16": 2,
    "I32": 4,
    "U32": 4,
    "F32": 4,
    "I64": 8,
    "U64": 8,
    "F64": 8,
}


def inspect_checkpoint(path: Path) -> CheckpointFacts:
    """Record and tensors of a checkpoint; the tensors' values are not looked at.

    Raises:
        DimmerError: it cannot be read, or is damaged.
    """
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is no file")
        size = path.stat().st_size
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > min(size - 8, _MAX_HEADER):
                raise ValueError(f"its header claims {length} bytes, the file has {size}")
            header = json.loads(file.read(length))
        tensors = _tensors(header, size - 8 - length)
        record = _record(header.get(_NOTES))
    except OSError as error:
        raise DimmerError(f"{path} cannot be read ({error.strerror}); check the path") from error
    except (struct.error, ValueError, RecursionError) as error:
        raise DimmerError(f"{path} is damaged or no .safetensors file ({error})") from error
    return CheckpointFacts(str(path), size, sum(math.prod(tensor.shape) for tensor in tensors), record, tensors)


def _tensors(header: Json, room: int) -> tuple[StoredTensor, ...]:
    if not isinstance(header, dict):
        raise ValueError("its header is no table")
    found = []
    for name, entry in header.items():
        if name == _NOTES:
            continue
        kind, shape, (begin, end) = _entry(name, entry)
        size = _BYTES[kind] * math.prod(shape)
        if not (0 <= begin <= end <= room and end - begin == size):
            raise ValueError(f"{name} should have {size} bytes, it lies at {begin} to {end} of {room}")
        found.append(StoredTensor(name, kind, shape, size))
    return tuple(found)


def _entry(name: str, entry: Json) -> tuple[str, tuple[int, ...], tuple[int, int]]:
    if isinstance(entry, Mapping):
        kind, shape, place = entry.get("dtype"), _naturals(entry.get("shape")), _naturals(entry.get("data_offsets"))
        if isinstance(kind, str) and kind in _BYTES and shape is not None and place is not None and len(place) == 2:
            return kind, shape, (place[0], place[1])
    raise ValueError(f"{name} has no type, shape and place that can be read")


def _naturals(value: Json) -> tuple[int, ...] | None:
    if not isinstance(value, list):
        return None
    numbers = tuple(item for item in value if isinstance(item, int) and not isinstance(item, bool) and item >= 0)
    return numbers if len(numbers) == len(value) else None


def _record(notes: Json) -> Json:
    text = notes.get(RECORD) if isinstance(notes, Mapping) else None
    if not isinstance(text, str):
        return notes
    record: Json = json.loads(text)
    return record
