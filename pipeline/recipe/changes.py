# SPDX-License-Identifier: Apache-2.0
"""Changes of a recipe that are given on a command line."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence

from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import Json
from dimmer.toml import shown


def read_changes(texts: Sequence[str], section: str) -> dict[str, Json]:
    """What `load_recipe` takes, from texts such as ``gates.only_budget=0.25``: values are written as in a recipe.

    Args:
        section: whose keys may be changed.

    Raises:
        DimmerError: one of them is written otherwise, or is of another section.
    """
    changes: dict[str, Json] = {}
    for text in texts:
        key, found, value = text.partition("=")
        try:
            (changes[key.strip()],) = tomllib.loads(f"value = {value}").values()
            written = bool(found and key.strip())
        except ValueError:
            written = False
        if not written:
            example = "gates.only_budget=0.25; a text stands in quotes"
            raise DimmerError(f"--change {shown(text)}: write section.key=value as in a recipe, such as {example}")
        if not key.strip().startswith(f"{section}."):
            raise DimmerError(
                f"--change {shown(text)}: is for keys of [{section}]; write others into a recipe of its own"
            )
    return changes
