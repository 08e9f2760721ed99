"""Where builds live, and what a build is of."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from dimmer.pipeline.core.stage import ROOT
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.targets import Target


def builds() -> Path:
    """The folder of all builds: `build/` in the project, or $DIMMER_BUILD."""
    return Path(os.environ.get("DIMMER_BUILD", ROOT / "build"))


def build_folder(recipe: Recipe) -> Path:
    """build/<model>."""
    return builds() / recipe.name


@dataclass(frozen=True)
class BuildContext:
    """What is built, for what, and where.

    Attributes:
        build_dir: ``build/<model>``.
    """

    recipe: Recipe
    target: Target
    build_dir: Path

    @property
    def target_dir(self) -> Path:
        """Where the deliverables lie: ``build/<model>/<target>``."""
        return self.build_dir / self.target.name
