# SPDX-License-Identifier: Apache-2.0
"""A table of a TOML file into a dataclass; every mistake is told with file, line and key."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.checks import require
from dimmer.pipeline.recipe.read import read_section
from dimmer.toml import Lines

FILE = Path("lamp.toml")


@dataclass(frozen=True)
class Shade:
    colour: str = "white"


@dataclass(frozen=True)
class Lamp:
    watts: float
    bits: tuple[int, ...] = (8,)
    names: tuple[str, ...] = ()
    dimmed: bool = False
    shade: Shade = field(default_factory=Shade)

    def __post_init__(self) -> None:
        require(self.watts > 0, "watts", "must be positive")


def read(text: str) -> Lamp:
    return read_section(Lamp, tomllib.loads(text).get("lamp", {}), ("lamp",), Lines(FILE, text))


def test_values_defaults_and_inner_sections() -> None:
    assert read("[lamp]\nwatts = 5\n") == Lamp(5.0)
    full = '[lamp]\nwatts = 5.5\nbits = [8, 4]\nnames = "all"\ndimmed = true\n[lamp.shade]\ncolour = "red"\n'
    assert read(full) == Lamp(5.5, (8, 4), ("all",), True, Shade("red"))
    assert isinstance(read("[lamp]\nwatts = 5\n").watts, float)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[lamp]\nbits = [8]\n", r"lamp\.toml, line 1: key 'watts' is missing in \[lamp\]"),
        ("[lamp]\nwatts = true\n", r"line 2: lamp\.watts = True must be a number"),
        ("[lamp]\n\nwatts = -1\n", r"line 3: lamp\.watts = -1: must be positive"),
        ("[lamp]\nwatts = 1\nbits = [8, 'x']\n", r"line 3: lamp\.bits = \[8, 'x'\] must be a list; each entry a whole"),
        ("[lamp]\nwatts = 1\ndimmed = 1\n", r"line 3: lamp\.dimmed = 1 must be true or false"),
        ("[lamp]\nwatts = 1\nshade = 3\n", r"line 3: lamp\.shade must be a section, \[lamp\.shade\]"),
        ("[lamp]\nwatts = 1\n[lamp.shade]\ncolor = 'red'\n", r"line 4: unknown key 'color' in \[lamp\.shade\]"),
        ("[lamp]\nwatts = 1\nshade.colour = 2\n", r"line 3: lamp\.shade\.colour = 2 must be a text"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, says: str) -> None:
    with pytest.raises(DimmerError, match=says):
        read(text)


def test_a_key_that_is_nowhere_is_told_with_its_section_or_the_file() -> None:
    where = Lines(FILE, "# a comment\n[ 'lamp' ] # the first\nwatts = 1\n")
    assert where.at(("lamp",), "watts") == "lamp.toml, line 3"
    assert where.at(("lamp",), "bits") == "lamp.toml, line 2"
    assert where.at(("desk",), "bits") == "lamp.toml"


def test_fields_may_come_from_elsewhere_and_keys_may_be_left_to_others() -> None:
    text = "[lamp]\nwatts = 1\nplug = 'EU'\n"
    where = Lines(FILE, text)
    table = tomllib.loads(text)["lamp"]
    assert read_section(Lamp, table, ("lamp",), where, {"bits": (4,)}, ["plug"]) == Lamp(1.0, (4,))
    with pytest.raises(DimmerError, match=r"line 3: unknown key 'plug' in \[lamp\]; known are: watts, names"):
        read_section(Lamp, table, ("lamp",), where, {"bits": (4,)})
