# SPDX-License-Identifier: Apache-2.0
"""Checkpoints are told about without torch."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.inspection.checkpoint import inspect_checkpoint


def write(path: Path, header: object, body: bytes = b"") -> Path:
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)
    return path


def test_what_dimmer_wrote_is_read(tmp_path: Path) -> None:
    import torch

    from dimmer.pipeline.artifacts.checkpoint import save_tensors

    path = tmp_path / "a.safetensors"
    save_tensors(path, {"weight": torch.zeros(2, 3), "count": torch.tensor(7)}, {"seed": 4, "model": "x"})
    found = inspect_checkpoint(path)
    assert {(t.name, t.type, t.shape, t.bytes) for t in found.tensors} == {
        ("weight", "F32", (2, 3), 24),
        ("count", "I64", (), 8),
    }
    assert (found.values, found.bytes) == (7, path.stat().st_size)
    assert isinstance(found.record, dict)
    assert (found.record["seed"], found.record["model"]) == (4, "x")


def test_those_of_others_too(tmp_path: Path) -> None:
    tensor = {"dtype": "F16", "shape": [3], "data_offsets": [0, 6]}
    found = inspect_checkpoint(write(tmp_path / "a.safetensors", {"a": tensor, "__metadata__": {"by": "me"}}, bytes(6)))
    assert (found.record, found.values) == ({"by": "me"}, 3)


BROKEN = [
    ({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 6]}}, "a should have 12 bytes, it lies at 0 to 6 of 6"),
    ({"a": {"dtype": "F16", "shape": [3], "data_offsets": [2, 8]}}, "it lies at 2 to 8 of 6"),
    ({"a": {"dtype": "lamp", "shape": [3], "data_offsets": [0, 6]}}, "a has no type, shape and place"),
    ({"a": {"dtype": "F16", "shape": [-3], "data_offsets": [0, 6]}}, "a has no type, shape and place"),
    ({"a": {"dtype": "F16", "shape": "3", "data_offsets": [0, 6]}}, "a has no type, shape and place"),
    ({"a": 3}, "a has no type, shape and place"),
    ([1], "its header is no table"),
    ({"__metadata__": {"dimmer": "{"}}, "damaged or no .safetensors file"),
]


@pytest.mark.parametrize(("header", "message"), BROKEN, ids=range(len(BROKEN)))
def test_what_is_damaged_is_told(header: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(DimmerError) as caught:
        inspect_checkpoint(write(tmp_path / "a.safetensors", header, bytes(6)))
    assert message in str(caught.value)


def test_any_bytes_are_one_error(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    path = tmp_path / "a.safetensors"
    for size in (0, 3, 8, 9, 40):
        path.write_bytes(random.integers(0, 256, size).astype(np.uint8).tobytes())
        with pytest.raises(DimmerError, match="damaged or no"):
            inspect_checkpoint(path)
    path.write_bytes((200_000).to_bytes(8, "little") + b"[" * 200_000)
    with pytest.raises(DimmerError, match="damaged or no"):
        inspect_checkpoint(path)


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.safetensors")
    with pytest.raises(DimmerError, match=r"no \.safetensors file \(it is no file\)"):
        inspect_checkpoint(tmp_path / "a.safetensors")
