# SPDX-License-Identifier: Apache-2.0
"""The schemas as files, and how a TOML file names its own."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path

from dimmer.pipeline.core.stage import Json
from dimmer.pipeline.schemas.project import project_schema
from dimmer.pipeline.schemas.recipe import recipe_schema
from dimmer.pipeline.schemas.target import target_schema

SHIPPED = Path(__file__).resolve().parent
DIALECT = "https://json-schema.org/draft/2020-12/schema"
DIRECTIVE = "#:schema "


class FileKind(Enum):
    """A kind of file that people write."""

    RECIPE = "recipe"
    TARGET = "target"
    PROJECT = "project"

    @property
    def toml(self) -> str:
        """Name of such a file."""
        return "dimmer.toml" if self is FileKind.PROJECT else f"{self.value}.toml"

    @property
    def schema(self) -> str:
        """Name of the schema's file."""
        return f"{self.value}.schema.json"


_MAKERS = {
    FileKind.RECIPE: recipe_schema,
    FileKind.TARGET: target_schema,
    FileKind.PROJECT: project_schema,
}


def make_schema(kind: FileKind) -> dict[str, Json]:
    """The schema, from what reads such a file today."""
    return {"$schema": DIALECT, "title": f"{kind.toml} of Dimmer", **_MAKERS[kind]()}


def schema_text(kind: FileKind) -> str:
    """The schema as its file has it."""
    return json.dumps(make_schema(kind), indent=2) + "\n"


def shipped_schema(kind: FileKind) -> Path:
    """The file that comes with Dimmer."""
    return SHIPPED / kind.schema


def named(text: str, schema: str) -> str:
    """A TOML file's text with the path of its schema in the first line, in place of the one that it had."""
    lines = text.splitlines(keepends=True)
    if lines and lines[0].startswith(DIRECTIVE):
        del lines[0]
    return f"{DIRECTIVE}{schema}\n{''.join(lines)}"
