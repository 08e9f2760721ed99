# SPDX-License-Identifier: Apache-2.0
"""Which kinds of training a network goes through."""

import dataclasses

from dimmer.pipeline.recipe.sections.training import PolishSection
from dimmer.pipeline.training.kinds.lesson import Lesson, NarrowLesson
from dimmer.pipeline.training.kinds.norms import Norms
from dimmer.pipeline.training.kinds.polish import Polish
from dimmer.pipeline.training.plan import kind_at, plan
from dimmer.pipeline.training.settings import TrainingSettings
from tests.pipeline.training.small import narrow, polished, small_settings, trainer_of


def planned(settings: TrainingSettings) -> list[tuple[type, int, int]]:
    return [(type(kind), kind.phase.first, kind.phase.end) for kind in plan(settings, trainer_of(settings))]


def test_kinds_without_epochs_are_left_out() -> None:
    settings = small_settings()
    assert planned(settings) == [(Lesson, 0, 3)]
    assert planned(polished(settings)) == [(Lesson, 0, 3), (NarrowLesson, 3, 4), (Polish, 4, 5)]
    whole = dataclasses.replace(narrow(settings, epochs=2, norm_epochs=3), polish=PolishSection(epochs=1))
    assert planned(whole) == [(Lesson, 0, 3), (NarrowLesson, 3, 5), (Norms, 5, 8), (Polish, 8, 9)]


def test_networks_trained_alone_have_as_many_epochs_as_the_adaptive_one_before_its_polish() -> None:
    settings = dataclasses.replace(narrow(small_settings(), epochs=1, norm_epochs=2), polish=PolishSection(epochs=5))
    assert planned(dataclasses.replace(settings, alone="super")) == [(Lesson, 0, 3 + 1 + 2)]


def test_every_epoch_belongs_to_a_kind() -> None:
    kinds = plan(polished(small_settings()), trainer_of(polished(small_settings())))
    assert [type(kind_at(kinds, epoch)) for epoch in range(5)] == [Lesson, Lesson, Lesson, NarrowLesson, Polish]
