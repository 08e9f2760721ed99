# SPDX-License-Identifier: Apache-2.0
"""Where builds live."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dimmer.project import project

if TYPE_CHECKING:
    from dimmer.pipeline.recipe.recipe import Recipe


def builds() -> Path:
    """The folder of all builds: $DIMMER_BUILD, else what the project says (`dimmer.project`)."""
    return project().build


def given_folder() -> Path:
    """Where lies what is made of somebody's files before they are a firmware."""
    return builds() / "given"


def build_folder(recipe: Recipe) -> Path:
    """build/<model>."""
    return builds() / recipe.name
