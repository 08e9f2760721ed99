# SPDX-License-Identifier: Apache-2.0
"""[gates]: gates that choose bits input by input."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated

from dimmer.pipeline.core.checks import MOST_BATCH, MOST_EPOCHS, MOST_IMAGES, MOST_LR, OneOf, bounded, require
from dimmer.pipeline.core.stage import Json
from dimmer.pipeline.modes.width import BITS, FULL_BITS, is_falling
from dimmer.pipeline.networks.gates.budget import GateConfig, level_budget

OPTIONS = (32, 16, *BITS)
REFERENCE_BITS = (8, 16, 32)


@dataclass(frozen=True)
class GatesSection:
    """Gates that choose bits input by input (`pipeline.train_gates`), trained in three steps.

    Attributes:
        options: widths that a gate chooses from, by falling cost: 8, 48, 28, 4, 24, 2; 0 is for skippable blocks.
        features: outputs of each block's 1x1 convolution.
        hidden: units of the recurrent cell.
        warmup_epochs: first step, towards the best static mode of each budget.
        front_images: training images on which those are found.
        epochs: second step, towards the budgets; 0 for a model without gates.
        tune_epochs: third step, as the second with a falling learning rate and the backbone frozen.
        images: training images an epoch; 0 for all.
        batch: images a step.
        lr: of the gates (Adam); thirty times as much in the warm-up.
        backbone_lr: of the backbone in the second step (SGD); 0 keeps it frozen, so that every static mode stays as it
            was, to the bit.
        cost_weight: of the cost against the label loss.
        dead_band: half width of the controller's dead band, as a fraction of the budget.
        only_budget: the one budget that the gates are trained for, as in the paper; with 0 one set of gates learns all.
        lowest_budget: all budgets are drawn from here to 1, evenly in their logarithm.
        budgets_per_batch: how many; each holds for an equal part of the batch.
        budgets: those that are measured, falling.
        reference_bits: width of the super-net whose cost is 1; Shen et al. count against 32.
    """

    options: Annotated[tuple[int, ...], OneOf(OPTIONS)] = (8, 4, 2, 0)
    features: int = 8
    hidden: int = 16
    warmup_epochs: int = 3
    front_images: int = 500
    epochs: int = 0
    tune_epochs: int = 2
    images: int = 0
    batch: int = 128
    lr: float = 0.0001
    backbone_lr: float = 0.0
    cost_weight: float = 0.3
    dead_band: float = 0.05
    only_budget: float = 0.0
    lowest_budget: float = 0.05
    budgets_per_batch: int = 4
    budgets: tuple[float, ...] = (0.8, 0.6, 0.4, 0.25, 0.15, 0.1)
    reference_bits: Annotated[int, OneOf(REFERENCE_BITS)] = FULL_BITS

    def __post_init__(self) -> None:
        known = set(self.options) <= set(OPTIONS) and FULL_BITS in self.options and 2 <= len(self.options) <= 4
        reason = f"must hold 8 and one to three others, by falling cost ({', '.join(map(str, OPTIONS))})"
        require(known and is_falling(self.options), "options", reason)
        require(1 <= self.features <= 32, "features", "must be 1 to 32")
        require(1 <= self.hidden <= 32, "hidden", "must be 1 to 32")
        for key in ("warmup_epochs", "epochs", "tune_epochs"):
            bounded(getattr(self, key), 0, MOST_EPOCHS, key)
        bounded(self.images, 0, MOST_IMAGES, "images")
        bounded(self.front_images, 1, MOST_IMAGES, "front_images")
        bounded(self.batch, 2, MOST_BATCH, "batch")
        bounded(self.lr, 0, MOST_LR, "lr", over=True)
        bounded(self.backbone_lr, 0, MOST_LR, "backbone_lr")
        bounded(self.cost_weight, 0, 1000, "cost_weight", over=True)
        require(0 <= self.dead_band < 1, "dead_band", "must be at least 0 and under 1")
        lowest = level_budget(0)
        only = self.only_budget == 0 or lowest <= self.only_budget <= 1
        require(only, "only_budget", f"must be {lowest:g} to 1, or 0 for gates of all budgets")
        require(0 < self.lowest_budget < 1, "lowest_budget", "must lie between 0 and 1")
        parts = 1 <= self.budgets_per_batch <= self.batch
        require(parts, "budgets_per_batch", "must be at least 1 and at most the images of a batch")
        drop = all(a > b for a, b in zip(self.budgets, self.budgets[1:], strict=False))
        inside = bool(self.budgets) and all(0 < b <= 1 for b in self.budgets)
        require(len(self.budgets) <= 100, "budgets", "must be at most 100")
        require(drop and inside, "budgets", "must fall, from 1 to over 0")
        require(self.reference_bits in REFERENCE_BITS, "reference_bits", "must be 8, 16 or 32")

    def config(self) -> GateConfig:
        """The gates' shape."""
        return GateConfig(self.options, self.features, self.hidden)

    @property
    def served(self) -> tuple[float, ...]:
        """The budgets that are measured: the only one that the gates know, where they know but one."""
        return (self.only_budget,) if self.only_budget else self.budgets

    def deployed(self) -> dict[str, Json] | None:
        """The keys that decide what trained gates are on a device, not how they were trained; None without gates."""
        return dataclasses.asdict(self.config()) if self.epochs else None
