# SPDX-License-Identifier: Apache-2.0
"""From a recipe to what the training of its gates needs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from dimmer.pipeline.artifacts.trained import check_deployable
from dimmer.pipeline.data.registry import Source
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.recipe.sections.gates import GatesSection
from dimmer.pipeline.recipe.sections.network import ModelSection
from dimmer.pipeline.recipe.sections.training import QatSection, TrainSection


@dataclass(frozen=True)
class GateSettings:
    """What the training of gates depends on.

    Attributes:
        name: the model's.
        path: its recipe's file, which errors name.
        model: the backbone and its data set.
        train: seed, augmentation and temperature; how the backbone learnt, where it goes on learning.
        qat: how it learnt its narrow widths.
        gates: the gates and their training.
        uniform: the modes that run all blocks with one of the gates' widths.
        training: hash of the backbone's training.
    """

    name: str
    path: Path
    model: ModelSection
    train: TrainSection
    qat: QatSection
    gates: GatesSection
    uniform: tuple[Mode, ...]
    training: str

    @property
    def source(self) -> Source:
        """Where the samples are from."""
        return self.model.source(self.path)

    @staticmethod
    def of(recipe: Recipe) -> GateSettings:
        """The settings of a recipe's gates.

        Raises:
            DimmerError: the network is one for experiments alone.
        """
        check_deployable(recipe)
        return GateSettings(
            recipe.name,
            recipe.path,
            recipe.model,
            recipe.train,
            recipe.qat,
            recipe.gates,
            recipe.gated_modes(),
            recipe.training_hash(),
        )

    def hash(self) -> str:
        """What trained gates depend on: the backbone's training, and the gates' section but what is only measured."""
        section = asdict(self.gates)
        del section["budgets"]
        if not section["only_budget"]:
            # Gates of before there was this key stay what they are.
            del section["only_budget"]
        return json.dumps([self.training, section], sort_keys=True)
