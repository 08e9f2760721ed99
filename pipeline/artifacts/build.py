# SPDX-License-Identifier: Apache-2.0
"""What is built, for what, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.tvm.targets import tvm_target
from dimmer.targets import Target


@dataclass(frozen=True)
class BuildContext:
    """What is built, for what, and where.

    Attributes:
        build_dir: ``build/<model>``.

    Raises:
        DimmerError: the model has several inputs or outputs, and the target takes one of each; or TVM, which is to
            compile for the target, cannot.
    """

    recipe: Recipe
    target: Target
    build_dir: Path

    def __post_init__(self) -> None:
        data = self.recipe.model.data
        if self.target.engine != "tvm":
            return
        tvm_target(self.target)
        if data.inputs or data.outputs:
            raise DimmerError(
                f"{self.target.name} runs TVM's modules, which have one input and one output, and {self.recipe.name} "
                "has several: build for a target whose engine is C, such as host (dimmer targets)"
            )

    @property
    def target_dir(self) -> Path:
        """Where the deliverables lie: ``build/<model>/<target>``."""
        return self.build_dir / self.target.name
