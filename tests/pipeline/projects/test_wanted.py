# SPDX-License-Identifier: Apache-2.0
"""Words for a new project that are refused, and the name that a folder gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.projects.wanted import Wanted, name_from, shipped_targets, templates


def test_what_comes_with_dimmer_can_be_taken() -> None:
    assert "mnist5k-r14" in templates()
    assert {"host", "mps2-an386"} <= set(shipped_targets())
    for template in templates():
        for target in shipped_targets():
            Wanted("door", template, target, "lock")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("2door",), "'2door' is no name for a model: take up to 40 letters"),
        (("a/b",), "'a/b' is no name"),
        (("..",), r"'\.\.' is no name"),
        (("",), "'' is no name"),
        (("d" * 41,), "is no name"),
        (("door\n",), "is no name"),
        (("cifar10-r14",), "'cifar10-r14' is a model that comes with Dimmer: take another name"),
        (("door", "lamp"), "there is no model 'lamp': take one of cifar10-cct, .*, mnist5k-r14"),
        (("door", "mnist5k-r14", "lamp"), "there is no target 'lamp': take one of .*host, "),
        (("door", "mnist5k-r14", "host", "mps2-an386"), "'mps2-an386' is a target that comes with Dimmer"),
        (("door", "mnist5k-r14", "host", "../x"), "is no name for a target"),
    ],
)
def test_what_is_no_name_is_refused(words: tuple[str, ...], says: str) -> None:
    with pytest.raises(DimmerError, match=says) as caught:
        Wanted(*words)
    assert "\n" not in str(caught.value).replace("door\n", "")


@pytest.mark.parametrize(
    ("folder", "name"),
    [("door", "door"), ("/x/My Door", "my-door"), ("/x/Tür", "t-r"), ("/", "lamp"), ("/7", "lamp"), ("/host", "host")],
)
def test_a_folder_gives_a_name(folder: str, name: str) -> None:
    assert name_from(Path(folder)) == name


def test_the_working_directory_gives_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bell").mkdir()
    monkeypatch.chdir(tmp_path / "bell")
    assert name_from(Path()) == "bell"
