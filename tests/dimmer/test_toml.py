# SPDX-License-Identifier: Apache-2.0
"""TOML files that a person wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.toml import Lines, plain, read_toml, shown

TEXT = """first = 1

[section]
key = 2
"quoted" = 3
[section.inner]  # comment
deep.er = 4
"""


def test_every_key_has_its_line() -> None:
    lines = Lines(Path("f.toml"), TEXT)
    assert lines.at((), "first") == "f.toml, line 1"
    assert lines.at(("section",), "key") == "f.toml, line 4"
    assert lines.at(("section",), "quoted") == "f.toml, line 5"
    assert lines.at(("section", "inner", "deep"), "er") == "f.toml, line 7"


def test_a_key_that_is_missing_has_the_line_of_what_is_around_it() -> None:
    lines = Lines(Path("f.toml"), TEXT)
    assert lines.at(("section", "inner"), "none") == "f.toml, line 6"
    assert lines.at(("section", "other"), "none") == "f.toml, line 3"
    assert lines.at(("none",), "none") == "f.toml"


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "f.toml"
    path.write_text(TEXT)
    contents, lines = read_toml(path)
    assert contents["section"]["inner"] == {"deep": {"er": 4}}
    assert lines.at((), "first") == f"{path}, line 1"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a = 1\na = 2\n", r"f\.toml: not valid TOML: Cannot overwrite a value \(at line 2"),
        (b"a = 1\nb = '\xfc'\n", r"f\.toml, line 2: not UTF-8 \(byte 0xfc\)"),
        (b"a = " + b"[" * 9999, r"f\.toml: not valid TOML: brackets are nested too deeply"),
        (b"a = " + b"9" * 9999, r"f\.toml: not valid TOML: a value cannot be read"),
        (b"#" * 300_000, r"f\.toml has 300,000 bytes, at most 262,144"),
    ],
)
def test_a_broken_one_is_one_line(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "f.toml"
    path.write_bytes(content)
    with pytest.raises(DimmerError, match=told):
        read_toml(path)


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match="is no file; name one"):
        read_toml(tmp_path)
    with pytest.raises(DimmerError, match=r"none cannot be read: .*No such file"):
        read_toml(tmp_path / "none")


def test_values_are_shown_short_and_plain() -> None:
    assert shown("a") == "'a'"
    assert shown(2.5) == "2.5"
    assert shown([1] * 100) == "[" + "1, " * 18 + "1,..."
    assert shown(10**5000) == "a value that is too long to show"
    assert plain("a\x1b[31m\nb") == "a [31m b"
    assert plain("x" * 300) == "x" * 197 + "..."


def test_tables_of_a_list_are_called_by_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("[a]\nb = 1\n[[a.c]]\nd = 1\n\n[[ a.c ]]  # again\nd = 2\n[e]\nd = 3\n")
    contents, where = read_toml(path)
    assert contents["a"]["c"] == [{"d": 1}, {"d": 2}]
    assert where.at(("a", "c", "1"), "d") == f"{path}, line 4"
    assert where.at(("a", "c", "2"), "d") == f"{path}, line 7"
    assert where.at(("a", "c", "2"), "f") == f"{path}, line 6"
    assert where.at(("a",), "c") == f"{path}, line 3"
    assert where.at(("e",), "d") == f"{path}, line 9"
