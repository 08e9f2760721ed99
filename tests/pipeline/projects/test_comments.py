# SPDX-License-Identifier: Apache-2.0
"""A schema's words above the keys of a TOML file."""

from __future__ import annotations

from dimmer.pipeline.core.stage import Json
from dimmer.pipeline.projects.comments import comment, commented, sections_without

SCHEMA: dict[str, Json] = {
    "properties": {
        "lamp": {
            "description": "Gives ``light``.",
            "oneOf": [
                {"properties": {"watts": {"description": "what it takes."}, "kind": {"const": "bulb"}}},
                {"properties": {"flame": {"description": "its height."}}},
            ],
        },
        "wall": {"description": "Holds it.", "properties": {"hole": {"properties": {"mm": {"description": "wide."}}}}},
    }
}
TEXT = """\
# a file
[lamp]
watts = 3
kind = "bulb"
many = [
    "watts = 4",
]
flame = 1  # low

[wall.hole]
mm = 8
"""


def test_what_is_described_gets_a_comment() -> None:
    assert commented(TEXT, SCHEMA) == (
        "# a file\n# Gives light.\n[lamp]\n# what it takes.\nwatts = 3\n"
        'kind = "bulb"\nmany = [\n    "watts = 4",\n]\n# its height.\nflame = 1  # low\n\n'
        "[wall.hole]\n# wide.\nmm = 8\n"
    )


def test_sections_that_are_left_out_are_named() -> None:
    assert sections_without(TEXT, SCHEMA) == ""
    assert sections_without("[lamp]\n", SCHEMA) == "# Sections that are left out here:\n# [wall] Holds it.\n"


def test_long_texts_are_wrapped() -> None:
    lines = comment("word " * 40, "  ")
    assert len(lines) == 3
    assert all(len(line) <= 100 for line in lines)
    assert [line[:4] for line in lines] == ["# wo", "#   ", "#   "]
    assert comment("") == []
