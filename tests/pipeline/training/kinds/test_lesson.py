# SPDX-License-Identifier: Apache-2.0
"""The lesson as a kind: float epochs, and those of narrow widths."""

import numpy as np
import torch

from dimmer.pipeline.recipe.sections.training import Augmentation, QatSection
from dimmer.pipeline.training.algorithm1 import AdaptiveStep
from dimmer.pipeline.training.batches import Batches
from dimmer.pipeline.training.kinds.lesson import Lesson, NarrowLesson
from dimmer.pipeline.training.phases import Phase
from dimmer.pipeline.training.plan import plan
from tests.pipeline.training.small import (
    CPU,
    bright_or_dark,
    changed,
    copied,
    narrow,
    small_settings,
    trainer_of,
    with_train,
)

PHASE = Phase(0, 1, 0.1, 0.0)


def test_a_float_epoch_leaves_the_norms_of_narrow_widths_alone_and_a_narrow_one_changes_them() -> None:
    settings = narrow(small_settings())
    x, labels = torch.rand(16, 1, 8, 8), torch.arange(16) % 10
    trainer = trainer_of(settings)
    trainer.network.train()
    lesson = Lesson(PHASE, AdaptiveStep(trainer, settings.train))
    widths = NarrowLesson(PHASE, AdaptiveStep(trainer, settings.train, settings.qat), settings.train)
    rng = np.random.default_rng(0)
    before = copied(trainer.network.state_dict())
    lesson.step(x, labels, 0.1, rng, 0)
    after = copied(trainer.network.state_dict())
    assert "stem.conv.weight" in changed(before, after)
    assert not any(".of_bits.4." in name or ".of_bits.2." in name for name in changed(before, after))
    for i in range(4):
        widths.step(x, labels, 0.1, rng, i)
    moved = changed(after, trainer.network.state_dict())
    assert any(".of_bits.4." in name for name in moved)
    assert any(".of_bits.2." in name for name in moved)


def test_narrow_widths_begin_with_the_norms_of_8_bits_and_end_with_statistics_of_their_own() -> None:
    settings, data = narrow(small_settings()), bright_or_dark()
    trainer = trainer_of(settings)
    widths = NarrowLesson(PHASE, AdaptiveStep(trainer, settings.train, settings.qat), settings.train)
    name = "stages.0.0.norm1.of_bits.{}.executed.running_mean"
    trainer.network.state_dict()[name.format(8)].fill_(40.0)
    widths.prepare()
    assert (trainer.network.state_dict()[name.format(2)] == 40.0).all()
    widths.finish(Batches(data.train.images, (8, 8), Augmentation(), CPU), data)
    assert (trainer.network.state_dict()[name.format(2)] < 40.0).all()


def test_a_float_lesson_leaves_nothing_to_do() -> None:
    settings, data = small_settings(), bright_or_dark()
    trainer = trainer_of(settings)
    lesson = Lesson(PHASE, AdaptiveStep(trainer, settings.train))
    before = copied(trainer.network.state_dict())
    lesson.prepare()
    lesson.finish(Batches(data.train.images, (8, 8), Augmentation(), CPU), data)
    assert not changed(before, trainer.network.state_dict())
    assert lesson.state() == {}


def test_the_base_net_starts_after_its_share_of_the_steps() -> None:
    settings = with_train(small_settings(), base_start=0.4)
    trainer = trainer_of(settings)
    trainer.network.train()
    (lesson,) = plan(settings, trainer)
    x, labels, rng = torch.rand(16, 1, 8, 8), torch.arange(16) % 10, np.random.default_rng(0)

    def learnt(share: float) -> bool:
        lesson.reached(share)
        return lesson.step(x, labels, 0.1, rng, 0).base is not None

    # The last is a training that was taken up again in its first part.
    assert [learnt(share) for share in (0.0, 0.39, 0.4, 0.99, 0.0)] == [False, False, True, True, False]


def test_epochs_of_narrow_widths_keep_the_network_as_it_was_before_them_where_it_teaches() -> None:
    settings = narrow(small_settings())
    x, labels = torch.rand(16, 1, 8, 8), torch.arange(16) % 10
    trainer = trainer_of(settings)
    qat = QatSection(1, frozen=True)
    widths = NarrowLesson(PHASE, AdaptiveStep(trainer, settings.train, qat), settings.train)
    assert widths.state() == {}
    widths.prepare()
    before = copied(widths.state())
    assert "before.stem.conv.weight" in before
    trainer.network.train()
    widths.step(x, labels, 0.1, np.random.default_rng(0), 0)
    assert not changed(before, widths.state())
    again = NarrowLesson(PHASE, AdaptiveStep(trainer, settings.train, qat), settings.train)
    again.restore(before)
    assert not changed(before, again.state())
    plain = NarrowLesson(PHASE, AdaptiveStep(trainer, settings.train, settings.qat), settings.train)
    plain.prepare()
    plain.restore(before)
    assert plain.state() == {}
