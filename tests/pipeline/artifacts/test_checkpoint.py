# SPDX-License-Identifier: Apache-2.0
"""Weights and their record in one file."""

from pathlib import Path

import pytest
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import load_tensors, save_tensors, teacher_folder, training_folder


def test_tensors_and_record_are_read_as_they_were_saved_in_the_same_bytes(tmp_path: Path) -> None:
    tensors, record = {"w": torch.arange(6.0).reshape(2, 3).T, "n": torch.tensor(3)}, {"b": [1, None], "a": {"c": 0.5}}
    save_tensors(tmp_path / "one", tensors, record)
    found, read = load_tensors(tmp_path / "one")
    assert read == record
    assert set(found) == set(tensors)
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    save_tensors(tmp_path / "two", found, dict(reversed(record.items())))
    assert (tmp_path / "two").read_bytes() == (tmp_path / "one").read_bytes()


@pytest.mark.parametrize("content", [None, b"", b"half", b"\x02\0\0\0\0\0\0\0{}"])
def test_what_is_no_checkpoint_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "w").write_bytes(content)
    with pytest.raises(DimmerError, match=r"is not a Dimmer checkpoint \(.*\); remove it and train again") as caught:
        load_tensors(tmp_path / "w")
    assert "\n" not in str(caught.value)


def test_folders_of_trainings_stand_side_by_side(tmp_path: Path) -> None:
    assert training_folder(tmp_path) == tmp_path / "train"
    assert training_folder(tmp_path, "super") == tmp_path / "train-alone-super"
    assert teacher_folder(training_folder(tmp_path)) == tmp_path / "train-teacher"
