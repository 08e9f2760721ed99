# SPDX-License-Identifier: Apache-2.0
"""Sections of a recipe that commands write."""

from __future__ import annotations

import tomllib

from dimmer.pipeline.projects.sections import section_text, with_section

TEXT = """# mine
[train]
epochs = 3 # few

[features]
kind = 'x'
[features.detector]
quiet = 1
average = 2
[duty]
a = 1
"""


def test_a_section_takes_the_place_of_its_like() -> None:
    made = with_section(TEXT, "features.detector", {"threshold": 0.5, "classes": [1, 2]})
    assert tomllib.loads(made)["features"] == {"kind": "x", "detector": {"threshold": 0.5, "classes": [1, 2]}}
    assert "epochs = 3 # few" in made
    assert tomllib.loads(made)["duty"] == {"a": 1}
    assert with_section(made, "features.detector", {"threshold": 0.5, "classes": [1, 2]}) == made


def test_what_is_not_there_is_added() -> None:
    assert tomllib.loads(with_section(TEXT, "new", {"b": True}))["new"] == {"b": True}


def test_letters_that_toml_does_not_take_are_written_as_numbers() -> None:
    assert tomllib.loads(section_text("a", {"b": ['\x7f\n"', "ä"]}))["a"]["b"] == ['\x7f\n"', "ä"]
