# SPDX-License-Identifier: Apache-2.0
"""The schema of recipe.toml."""

from __future__ import annotations

from dimmer.pipeline.core.stage import Json
from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.networks.family import SEVERAL, config_class, config_keys, families
from dimmer.pipeline.recipe.recipe import DATA, SECTIONS, Recipe
from dimmer.pipeline.recipe.sections.network import ModelNames, ModelSection
from dimmer.pipeline.schemas.docstrings import attributes, summary
from dimmer.pipeline.schemas.sections import field_schemas, required_fields, section_schema, table_schema


def recipe_schema() -> dict[str, Json]:
    """Sections as their dataclasses say; [model] is one of the families' tables."""
    sections: dict[str, Json] = {DATA: section_schema(DataSection)}
    sections |= {key: section_schema(cls) for key, cls in SECTIONS.items()}
    needed = tuple(key for key, cls in SECTIONS.items() if required_fields(cls))
    model: dict[str, Json] = {"description": summary(ModelSection), "oneOf": [_family(family) for family in families()]}
    return table_schema(summary(Recipe), {"model": model, **sections}, ("model", *needed))


def _family(family: str) -> dict[str, Json]:
    config = config_class(family)
    own, every = config_keys(family), field_schemas(config, SEVERAL)
    common = field_schemas(ModelNames)
    # A constant tells an editor which of the tables is meant.
    common["family"] = {"description": attributes(ModelNames)["family"], "const": family}
    required = (*common, *(key for key in required_fields(config) if key in own))
    made = table_schema(summary(config), {**common, **{key: every[key] for key in own}}, required)
    return {"title": family, **made}
