# SPDX-License-Identifier: Apache-2.0
"""A TOML file read key by key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.schema import Asked, Kind, Table
from dimmer.toml import Lines

TEXT = """
core = "cortex-m4"
limit = 0
timeout = 5
names = ["a", "b"]
nothing = []

[packages]
gcc = "gcc-package"

[inner]
core = "other"
"""


@pytest.fixture
def table(tmp_path: Path) -> Table:
    path = tmp_path / "lamp.toml"
    path.write_text(TEXT)
    return Table.read(path)


def test_each_key_has_its_type(table: Table) -> None:
    assert (table.text("core"), table.natural("limit"), table.positive_real("timeout")) == ("cortex-m4", 0, 5.0)
    assert (table.texts("names"), table.texts("nothing")) == (("a", "b"), ())
    assert table.text_map("packages") == {"gcc": "gcc-package"}
    inner = table.table("inner")
    assert inner.text("core") == "other"
    inner.finish()
    table.finish()


def test_what_may_be_missing_is_empty(table: Table) -> None:
    assert table.optional_text("lamp") is None
    assert table.optional_natural("lamp") is None
    assert table.optional_natural("limit") == 0
    assert table.optional_table("lamp") is None
    assert table.texts("lamp", required=False) == ()
    assert table.text_map("lamp") == {}
    assert table.optional_text("core") == "cortex-m4"
    assert table.optional_table("inner") is not None


def test_a_key_is_taken_once(table: Table) -> None:
    table.text("core")
    with pytest.raises(TargetError, match="'core' is missing: give it a string"):
        table.text("core")


def test_keys_that_nobody_took_are_named(table: Table) -> None:
    table.table("inner")
    table.text("core")
    with pytest.raises(TargetError, match="unknown key 'limit', 'names', 'nothing', 'packages', 'timeout': remove or"):
        table.finish()


@pytest.mark.parametrize(
    ("take", "message"),
    [
        (lambda table: table.text("limit"), "'limit' is 0: give it a string"),
        (lambda table: table.natural("core"), "'core' is 'cortex-m4': give it a whole number"),
        (lambda table: table.positive_real("limit"), "'limit' is 0: give it a number above 0"),
        (lambda table: table.texts("core"), "'core' is 'cortex-m4': give it a list of strings"),
        (lambda table: table.text_map("names"), r"'names' is \['a', 'b'\]: give it a table of strings"),
        (lambda table: table.texts("lamp"), "'lamp' is missing: give it a list of strings"),
        (lambda table: table.table("inner").natural("core"), r"lamp\.toml, line 12: inner: 'core' is 'other'"),
    ],
)
def test_a_mistake_names_file_and_key(table: Table, take: Callable[[Table], object], message: str) -> None:
    with pytest.raises(TargetError, match=message):
        take(table)


@pytest.mark.parametrize(
    ("value", "message"), [(True, "is True"), (-1, "is -1: give it a number that is not negative")]
)
def test_a_natural_number_is_no_bool_and_not_negative(value: object, message: str) -> None:
    with pytest.raises(TargetError, match=f"'limit' {message}"):
        Table({"limit": value}, Lines(Path("lamp.toml"), "limit = 1")).natural("limit")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"nothing\.toml cannot be read: .*No such file"):
        Table.read(tmp_path / "nothing.toml")
    (tmp_path / "broken.toml").write_text("core = ")
    with pytest.raises(TargetError, match=r"broken\.toml: "):
        Table.read(tmp_path / "broken.toml")


def test_one_and_some_of_known_strings() -> None:
    table = Table(
        {"hue": "red", "hues": ["blue", "red"], "odd": "grey", "odds": ["red", "grey"]}, Lines(Path("lamp.toml"), "")
    )
    assert (table.choice("hue", ("blue", "red")), table.choice("lamp", ("blue", "red"))) == ("red", "blue")
    assert table.choices("hues", ("red", "blue")) == ("blue", "red")
    with pytest.raises(TargetError, match="'odd' is 'grey': give it one of red, blue"):
        table.choice("odd", ("red", "blue"))
    with pytest.raises(TargetError, match="'odds' has 'grey': give it some of red, blue"):
        table.choices("odds", ("red", "blue"))


def test_a_table_remembers_what_it_was_asked(table: Table) -> None:
    table.text("core")
    table.texts("none", required=False)
    table.choice("hue", ("red",))
    table.optional_table("lamp")
    table.table("inner")
    inner = table.asked["inner"].table
    assert inner is not None
    inner.text("core")
    assert inner.asked == {"core": Asked(Kind.TEXT)}
    assert {key: one for key, one in table.asked.items() if key != "inner"} == {
        "core": Asked(Kind.TEXT),
        "none": Asked(Kind.TEXTS, required=False),
        "hue": Asked(Kind.TEXT, False, ("red",), "red"),
        "lamp": Asked(Kind.TABLE, required=False),
    }


def test_a_number_that_may_be_missing() -> None:
    lines = Lines(Path("lamp.toml"), "stack = 8")
    assert Table({"stack": 8}, lines).optional_natural("stack") == 8
    table = Table({}, lines)
    assert table.optional_natural("stack") is None
    assert not table.asked["stack"].required
    for wrong, why in ((-1, "not negative"), (True, "a whole number"), ("8", "a whole number"), (1 << 40, "at most")):
        with pytest.raises(TargetError, match=f"'stack' is .*{why}"):
            Table({"stack": wrong}, lines).optional_natural("stack")
