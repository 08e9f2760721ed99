# SPDX-License-Identifier: Apache-2.0
"""Files of networks are known by their endings; what converts them is named where it is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.conversion.given import kinds
from dimmer.pipeline.core import extras


@pytest.mark.parametrize(
    ("name", "kind"), [("a.tflite", "tflite"), ("a.ONNX", "onnx"), ("a.h5", "keras"), ("a.pt2", "program")]
)
def test_endings(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).touch()
    assert kinds.kind_of(tmp_path / name) == kind


def test_folders(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"is a folder without saved_model\.pb; name a network: \.tflite, "):
        kinds.kind_of(tmp_path)
    (tmp_path / "saved_model.pb").touch()
    assert kinds.kind_of(tmp_path) == kinds.SAVED_MODEL


def test_networks_that_are_no_tflite(tmp_path: Path) -> None:
    assert kinds.is_other(tmp_path / "a.onnx")
    assert not any(kinds.is_other(tmp_path / name) for name in ("a.tflite", "a.bin", "."))
    (tmp_path / "saved_model.pb").touch()
    assert kinds.is_other(tmp_path)


def test_others_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pth").touch()
    with pytest.raises(DimmerError, match=r"a\.pth: ends in none of \.tflite, \.onnx"):
        kinds.kind_of(tmp_path / "a.pth")
    with pytest.raises(DimmerError, match="is not there; check the path"):
        kinds.kind_of(tmp_path / "b.onnx")


@pytest.mark.parametrize(("kind", "missing"), [(kinds.KERAS, "tensorflow"), (kinds.PROGRAM, "torch")])
def test_what_is_not_installed_is_named(kind: str, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "_is_installed", lambda name: name != missing)
    with pytest.raises(DimmerError, match=rf"^{missing} not installed: type pip install 'dimmer-nn\[train\]'$"):
        kinds.require_converters(kind)
