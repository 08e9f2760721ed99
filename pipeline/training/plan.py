# SPDX-License-Identifier: Apache-2.0
"""The kinds of training that a network goes through, in order."""

from __future__ import annotations

from collections.abc import Sequence

from dimmer.pipeline.training.algorithm1 import AdaptiveStep
from dimmer.pipeline.training.kinds.kind import Kind
from dimmer.pipeline.training.kinds.lesson import Lesson, NarrowLesson
from dimmer.pipeline.training.kinds.norms import Norms
from dimmer.pipeline.training.kinds.polish import Polish
from dimmer.pipeline.training.losses import Taught
from dimmer.pipeline.training.phases import Timetable
from dimmer.pipeline.training.recorded import RecordedSteps
from dimmer.pipeline.training.settings import TrainingSettings
from dimmer.pipeline.training.trainer import Trainer


def plan(settings: TrainingSettings, trainer: Trainer, taught: Taught | None = None) -> tuple[Kind, ...]:
    """The kinds that have epochs.

    A plain network is trained in float for as many epochs as the adaptive one has before it is polished.

    Args:
        settings: of the training.
        trainer: what the kinds train.
        taught: the teacher's part of the super-net's loss.
    """
    train, qat, polish = settings.train, settings.qat, settings.polish
    # Targets of several outputs say of themselves what they are, which no recorded graph can ask.
    simple = trainer.is_simple and not trainer.network.config.split_outputs
    recorded = RecordedSteps(trainer) if trainer.device.type == "cuda" and simple else None
    in_float, at_widths = AdaptiveStep(trainer, train, taught=taught), AdaptiveStep(trainer, train, qat, taught)
    phases = Timetable()
    if settings.alone:
        epochs = train.epochs + qat.epochs + qat.norm_epochs
        return (Lesson(phases.next(epochs, train.lr, train.warmup, train.drops), in_float, recorded),)
    before = AdaptiveStep(trainer, train, taught=taught, base_learns=False) if train.base_start else None
    first = phases.next(train.epochs, train.lr, train.warmup, train.drops)
    kinds = (
        Lesson(first, in_float, recorded, before=before, start=train.base_start),
        NarrowLesson(phases.next(qat.epochs, qat.lr, qat.warmup), at_widths, train, recorded),
        Norms(phases.next(qat.norm_epochs, qat.norm_lr, qat.warmup), trainer, qat.precision, train.temperature),
        Polish(phases.next(polish.epochs, polish.lr, qat.warmup), trainer, polish, train.temperature),
    )
    return tuple(kind for kind in kinds if kind.phase.epochs)


def kind_at(kinds: Sequence[Kind], epoch: int) -> Kind:
    """Whose epoch it is, counted from 0."""
    return next(kind for kind in kinds if epoch < kind.phase.end)
