# SPDX-License-Identifier: Apache-2.0
"""The schema of dimmer.toml."""

from __future__ import annotations

from dimmer.pipeline.core.stage import Json
from dimmer.pipeline.schemas.sections import table_schema
from dimmer.project import KEYS

MEANING = (
    "A project of Dimmer: commands typed in its folder, or below it, find recipes, targets and builds by this file."
)


def project_schema() -> dict[str, Json]:
    """The one section [project]."""
    keys: dict[str, Json] = {}
    for name, key in KEYS.items():
        default = {"default": key.default} if key.default else {}
        keys[name] = {
            "description": key.meaning,
            "type": "string",
            "minLength": 1,
            **default,
            "examples": [key.example],
        }
    section = table_schema(
        "Where the project's own things lie, and what commands take where nothing is named.", keys, ()
    )
    return table_schema(MEANING, {"project": section}, ())
