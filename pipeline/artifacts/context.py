"""Where builds live."""

from __future__ import annotations

import os
from pathlib import Path

from dimmer.pipeline.core.stage import ROOT
from dimmer.pipeline.recipe.recipe import Recipe


def builds() -> Path:
    """The folder of all builds: `build/` in the project, or $DIMMER_BUILD."""
    return Path(os.environ.get("DIMMER_BUILD", ROOT / "build"))


def build_folder(recipe: Recipe) -> Path:
    """build/<model>."""
    return builds() / recipe.name
