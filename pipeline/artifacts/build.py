# SPDX-License-Identifier: Apache-2.0
"""What is built, for what, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.targets import Target


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
