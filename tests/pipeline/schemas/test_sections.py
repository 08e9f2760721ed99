# SPDX-License-Identifier: Apache-2.0
"""Dataclasses as schemas."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from dimmer.pipeline.core.checks import OneOf
from dimmer.pipeline.schemas.sections import field_schemas, required_fields, section_schema, table_schema


@dataclass(frozen=True)
class Bulb:
    """What is in it.

    Attributes:
        watts: what it takes.
    """

    watts: float = 1.0


@dataclass(frozen=True)
class Lamp:
    """Gives light."""

    steps: tuple[int, ...]
    hue: Annotated[str, OneOf(("red", "blue"))] = "red"
    bits: Annotated[tuple[int, ...], OneOf(lambda: (8, 4))] = (8,)
    names: tuple[str, ...] = ()
    lit: bool = False
    bulb: Bulb = field(default_factory=Bulb)


def test_every_type_has_its_schema() -> None:
    assert field_schemas(Lamp) == {
        "steps": {"type": "array", "items": {"type": "integer"}},
        "hue": {"type": "string", "enum": ["red", "blue"], "default": "red"},
        "bits": {"type": "array", "items": {"type": "integer", "enum": [8, 4]}, "default": [8]},
        "names": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}], "default": []},
        "lit": {"type": "boolean", "default": False},
        "bulb": {
            "description": "What is in it.",
            "type": "object",
            "properties": {"watts": {"description": "what it takes.", "type": "number", "default": 1.0}},
            "additionalProperties": False,
        },
    }


def test_what_has_no_default_is_required() -> None:
    assert required_fields(Lamp) == ("steps",)
    assert section_schema(Lamp)["required"] == ["steps"]
    assert "required" not in section_schema(Bulb)
    assert table_schema("", {}, ()) == {"type": "object", "properties": {}, "additionalProperties": False}
