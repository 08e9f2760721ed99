# SPDX-License-Identifier: Apache-2.0
"""Dataclasses as JSON files: the same bytes again, and one line for every kind of damage."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.documents import (
    DocumentError,
    from_json,
    load_document,
    parse_document,
    save_document,
    to_json,
)
from dimmer.pipeline.core.stage import Json


@dataclass(frozen=True)
class Bulb:
    watts: float
    lit: bool = False


@dataclass(frozen=True)
class Lamp:
    name: str
    bulbs: tuple[Bulb, ...]
    rooms: Mapping[str, int]
    place: tuple[int, float]
    shade: Bulb | None
    note: str = ""
    fitting: Literal["screw", "pin"] | None = None


LAMP = Lamp("desk", (Bulb(7.5, True), Bulb(4)), {"study": 1}, (3, 0.5), None)


def test_what_is_saved_is_loaded_and_saved_again_in_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "lamp.json"
    save_document(path, LAMP)
    assert load_document(Lamp, path) == LAMP
    before = path.read_bytes()
    save_document(path, load_document(Lamp, path))
    assert path.read_bytes() == before
    assert list(json.loads(before)) == ["name", "bulbs", "rooms", "place", "shade", "note", "fitting"]
    assert before.startswith(b'{\n "name": "desk"')


def test_keys_that_are_not_known_are_passed_over_and_defaults_stand_in() -> None:
    text = '{"name": "x", "bulbs": [], "rooms": {}, "place": [1, 2], "shade": {"watts": 1}, "colour": "red"}'
    assert parse_document(Lamp, text) == Lamp("x", (), {}, (1, 2), Bulb(1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": None}, "name is None, not a text"),
        ({"bulbs": {}}, "bulbs is {}, not a list"),
        ({"bulbs": [{"watts": 1}, {"lit": True}]}, r"bulbs\[1\]\.watts is missing"),
        ({"bulbs": [{"watts": True}]}, r"bulbs\[0\]\.watts is True, not a number"),
        ({"bulbs": [{"watts": 1, "lit": 0}]}, r"bulbs\[0\]\.lit is 0, not true or false"),
        ({"rooms": {"study": 0.5}}, r"rooms\.study is 0\.5, not a whole number"),
        ({"rooms": [1]}, r"rooms is \[1\], not an object"),
        ({"place": [1]}, "place has 1 entries, not 2"),
        ({"fitting": "glue"}, "fitting is 'glue', not one of 'screw', 'pin'"),
        ({"shade": "x" * 99}, r"shade is 'x+\.\.\., not an object"),
    ],
)
def test_every_damage_names_its_place(change: dict[str, object], message: str) -> None:
    whole: dict[str, object] = {"name": "x", "bulbs": [], "rooms": {}, "place": [1, 2], "shade": None}
    with pytest.raises(DocumentError, match=f"^{message}$"):
        from_json(Lamp, {**whole, **change})


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_a_file_that_is_damaged_is_one_line_with_a_way_out(tmp_path: Path, content: str) -> None:
    path = tmp_path / "lamp" / "lamp.json"
    with pytest.raises(DimmerError, match=r"lamp\.json is not there: build it first$"):
        load_document(Lamp, path)
    path.parent.mkdir()
    with pytest.raises(DimmerError, match=r"lamp\.json cannot be read .*: remove .*lamp and build again$"):
        load_document(Lamp, path)
    path.write_text(content)
    with pytest.raises(
        DimmerError, match=r"lamp\.json cannot be read \(.+\): remove .*lamp and build again$"
    ) as caught:
        load_document(Lamp, path)
    assert "\n" not in str(caught.value)


class Socket(NamedTuple):
    volts: float
    pins: int


@dataclass(frozen=True)
class Wall:
    sockets: Mapping[str, Socket]
    found: Mapping[str, Json]


def test_named_tuples_are_lists_and_plain_json_stays_as_it_is() -> None:
    plain: dict[str, Json] = {"a": [1, None, {"b": "c"}], "d": 0.5}
    text = json.dumps({"sockets": {"left": [230.0, 2]}, "found": plain})
    assert parse_document(Wall, text) == Wall({"left": Socket(230.0, 2)}, plain)
    with pytest.raises(DocumentError, match=r"sockets\.left has 1 entries, not 2"):
        from_json(Wall, {"sockets": {"left": [230.0]}, "found": {}})


def test_a_dataclass_as_json_has_lists_for_tuples(tmp_path: Path) -> None:
    path = tmp_path / "lamp.json"
    save_document(path, LAMP)
    assert to_json(LAMP) == json.loads(path.read_text())
    assert to_json(LAMP)["place"] == [3, 0.5]
