# SPDX-License-Identifier: Apache-2.0
"""SHA256SUMS, as `sha256sum` writes it."""

import subprocess
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.sums import SUMS, list_sum, listed_sums
from dimmer.pipeline.core.closure import ROOT


def test_a_file_is_entered_and_sha256sum_agrees(tmp_path: Path) -> None:
    for name, content in (("b", b"one"), ("a", b"two"), ("b", b"three")):
        (tmp_path / name).write_bytes(content)
        list_sum(tmp_path / name)
    assert list(listed_sums(tmp_path)) == ["a", "b"]
    subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=tmp_path, check=True, capture_output=True)


def test_without_a_list_nothing_is_listed(tmp_path: Path) -> None:
    assert listed_sums(tmp_path) == {}
    assert listed_sums(tmp_path / "none") == {}


@pytest.mark.parametrize(
    "content", [b"\xff", b"abc  file\n", b"0" * 64 + b"  a\n" + b"1" * 64 + b"  a\n", b"0" * 64 + b"\n"]
)
def test_a_list_that_sha256sum_did_not_write_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / SUMS).write_bytes(content)
    with pytest.raises(DimmerError, match=r"SHA256SUMS.*write it anew: sha256sum \*\.safetensors > SHA256SUMS"):
        listed_sums(tmp_path)


@pytest.mark.parametrize("folder", sorted({path.parent for path in (ROOT / "models").glob("*/*.safetensors")}))
def test_every_shipped_file_is_listed(folder: Path) -> None:
    assert set(listed_sums(folder)) == {path.name for path in folder.glob("*.safetensors")}
    subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=folder, check=True, capture_output=True)
