# SPDX-License-Identifier: Apache-2.0
"""From a recipe to what a training needs of it; the other modules of this room know sections, not recipes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from dimmer.pipeline.artifacts.training_record import RunId
from dimmer.pipeline.data.registry import Source
from dimmer.pipeline.modes.mode import FULL_BITS
from dimmer.pipeline.networks import Network, NetworkConfig, build
from dimmer.pipeline.networks.layers.norm import share_norms
from dimmer.pipeline.recipe.sections.training import (
    PolishSection,
    QatSection,
    TeacherSection,
    TrainSection,
    training_hash,
)

if TYPE_CHECKING:
    from dimmer.pipeline.recipe.recipe import Recipe
    from dimmer.pipeline.recipe.sections.network import ModelSection


@dataclass(frozen=True)
class TrainingSettings:
    """What the training of one network depends on.

    Attributes:
        name: the model's.
        path: its recipe's file, which errors name.
        model: the network and its data set.
        train: the float epochs, and whatever all epochs have in common.
        qat: the epochs of narrow widths; none by default, as of ``teacher`` and ``polish``.
        teacher: whom the super-net learns from.
        polish: the last epochs.
        alone: None for the adaptive network, "super" or "base" for a plain one of that depth.
    """

    name: str
    path: Path
    model: ModelSection
    train: TrainSection
    qat: QatSection = field(default_factory=QatSection)
    teacher: TeacherSection = field(default_factory=TeacherSection)
    polish: PolishSection = field(default_factory=PolishSection)
    alone: str | None = None

    @property
    def source(self) -> Source:
        """Where the samples are from."""
        return self.model.source(self.path)

    @staticmethod
    def of(recipe: Recipe, alone: str | None = None) -> TrainingSettings:
        """The settings of a recipe's network, or of the plain one of its super-net's or base-net's depth."""
        return TrainingSettings(
            recipe.name, recipe.path, recipe.model, recipe.train, recipe.qat, recipe.teacher, recipe.polish, alone
        )

    def of_teacher(self) -> TrainingSettings:
        """The settings of the teacher: a plain network of the super-net's depth and of its own widths, in float."""
        return TrainingSettings(
            self.name,
            self.path,
            replace(self.model, config=self.model.config.widened(self.teacher.widths)),
            replace(self.train, epochs=self.teacher.epochs, lr=self.teacher.lr, drops=()),
            alone="super",
        )

    def of_float(self) -> TrainingSettings:
        """The settings of the float training that narrow widths go on from: the same without them."""
        config = replace(self.model.config, bits=(FULL_BITS,))
        return replace(
            self, model=replace(self.model, config=config), qat=QatSection(), polish=PolishSection(), alone=None
        )

    def config(self) -> NetworkConfig:
        """The shape of the network that is trained."""
        config = self.model.config
        return config.alone(self.alone) if self.alone else config

    def untrained(self) -> Network:
        """The network that training begins with; equal seeds give equal weights."""
        torch.manual_seed(self.train.seed)
        network = build(self.model.family, self.config())
        if self.alone is None and self.train.shared_norms:
            share_norms(network)
        if self.alone is None and self.train.own_classifier:
            network.add_base_classifier()
        return network

    def run_id(self, data: str = "") -> RunId:
        """What the training is known by in its checkpoint.

        Args:
            data: hash of the data set's contents; empty where it is not known.
        """
        train, qat, polish = self.train, self.qat, self.polish
        if self.alone:
            # A network trained alone has no epochs of polish, no base-net and no sampled modes.
            train, qat, polish = train.without_base(), replace(qat, frozen=False, sampled=1), PolishSection()
        settings = training_hash(self.model, train, qat, self.teacher, polish)
        return RunId(self.name, self.alone, settings, data)


def override(recipe: Recipe, seed: int | None = None, epochs: int | None = None) -> Recipe:
    """The recipe with another seed or number of float epochs."""
    train = recipe.train
    epochs = train.epochs if epochs is None else epochs
    drops = tuple(drop for drop in train.drops if drop < epochs)
    train = replace(train, seed=train.seed if seed is None else seed, epochs=epochs, drops=drops)
    return replace(recipe, train=train)
