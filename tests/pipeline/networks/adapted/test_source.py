# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.networks.adapted.source import build_module, forget, imported_beside, parse_arguments, source_file

TEXT = """
from torch import nn

def make(width=4):
    return nn.Linear(width, 2)

def number():
    return 3
"""


def test_a_network_is_built_from_a_file_of_the_users(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(TEXT)
    made = build_module("mine.py:make", ("width=6",), tmp_path)
    assert made.in_features == 6
    assert not made.training
    assert source_file("mine.py:make", tmp_path) == tmp_path / "mine.py"
    assert source_file("timm:resnet18", tmp_path) is None
    for source, reason in (
        ("mine.py:other", "has no function 'other'; it has make, number"),
        ("none.py:make", "there is no such file"),
        ("mine.py:number", "gives a int; it must return"),
        ("keras:resnet", "names no network"),
    ):
        with pytest.raises(DimmerError, match=reason):
            build_module(source, (), tmp_path)
    with pytest.raises(DimmerError, match=r"cannot be built with \{'depth': 3\}"):
        build_module("mine.py:make", ("depth=3",), tmp_path)


def test_a_library_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(DimmerError, match=r"pip install 'dimmer-nn\[adapt\]'"):
        build_module("torchvision:resnet18")


def test_arguments_are_read_as_python_writes_them() -> None:
    assert parse_arguments(("a=1", "b=(1, 2)", "c=relu")) == {"a": 1, "b": (1, 2), "c": "relu"}
    with pytest.raises(DimmerError, match="'classes' is no argument"):
        parse_arguments(("classes",))


def test_modules_beside_a_file_are_found_and_can_be_imported_late(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "deep_of_mine.py").write_text("WIDTH = 5\n")
    (tmp_path / "parts_of_mine.py").write_text("from inner.deep_of_mine import WIDTH\n")
    (tmp_path / "late_of_mine.py").write_text("CLASSES = 3\n")
    file = tmp_path / "whole.py"
    file.write_text(
        "from torch import nn\nfrom parts_of_mine import WIDTH\n\n"
        "def make():\n    from late_of_mine import CLASSES\n    return nn.Linear(WIDTH, CLASSES)\n"
    )
    path = sys.path[:]
    made = build_module("whole.py:make", (), tmp_path)
    assert made.in_features == 5
    assert made.out_features == 3
    assert sys.path == path
    assert {p.name for p in imported_beside(file)} == {"parts_of_mine.py", "deep_of_mine.py", "late_of_mine.py"}
    forget(file)
    (tmp_path / "parts_of_mine.py").write_text("WIDTH = 11\n")
    assert build_module("whole.py:make", (), tmp_path).in_features == 11
    forget(file)


@pytest.mark.parametrize("text", ["import sys\nsys.exit(0)\n", "def make():\n    raise SystemExit(0)\n"])
def test_a_file_that_ends_the_program_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "ends.py").write_text(text)
    with pytest.raises(DimmerError, match="SystemExit: 0"):
        build_module("ends.py:make", (), tmp_path)


def test_an_argument_is_given_once() -> None:
    with pytest.raises(DimmerError, match="width is given twice"):
        parse_arguments(["width=3", "width=4"])


def test_helpers_of_two_files_do_not_mix(tmp_path: Path) -> None:
    for folder, width in (("a", 3), ("b", 7), ("c", 9)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same_name_of_mine.py").write_text(f"WIDTH = {width}\n")
        (tmp_path / folder / "net.py").write_text(
            "from torch import nn\nfrom same_name_of_mine import WIDTH\n\ndef make():\n    return nn.Linear(WIDTH, 2)\n"
        )
    for folder, width in (("a", 3), ("b", 7), ("a", 3), ("c", 9)):
        assert build_module("net.py:make", (), tmp_path / folder).in_features == width
    for folder in "abc":
        assert imported_beside(tmp_path / folder / "net.py") == (tmp_path / folder / "same_name_of_mine.py",)
        forget(tmp_path / folder / "net.py")


def test_installed_packages_are_no_helpers(tmp_path: Path) -> None:
    packages = tmp_path / ".venv" / "lib" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "installed_of_mine.py").write_text("WIDTH = 4\n")
    (tmp_path / "net.py").write_text(
        f"import sys\nsys.path.append({str(packages)!r})\nfrom torch import nn\nfrom installed_of_mine import WIDTH\n\n"
        "def make():\n    return nn.Linear(WIDTH, 2)\n"
    )
    path = sys.path[:]
    assert build_module("net.py:make", (), tmp_path).in_features == 4
    assert imported_beside(tmp_path / "net.py") == ()
    assert sys.path == path
    del sys.modules["installed_of_mine"]


def test_a_relative_import_is_told_how_to_write(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("from .blocks import Block\n")
    with pytest.raises(DimmerError, match="write 'from blocks import'"):
        build_module("net.py:make", (), tmp_path)
