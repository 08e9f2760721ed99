# SPDX-License-Identifier: Apache-2.0
"""The first steps of a training, for its losses, time and memory; nothing is kept of them."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from dimmer import processes
from dimmer.errors import DimmerError
from dimmer.pipeline.data.dataset import Dataset, DatasetShape, Split
from dimmer.pipeline.data.own import CLASSES, OwnData
from dimmer.pipeline.data.registry import dataset_shape, load_dataset
from dimmer.pipeline.training.batches import Batches
from dimmer.pipeline.training.loop import check_shares, take_step, trainer_of
from dimmer.pipeline.training.plan import kind_at, plan
from dimmer.pipeline.training.settings import TrainingSettings
from dimmer.pipeline.training.trainer import seed_torch

_SYNTHETIC_BATCHES = 2
"""So many batches of images are made; they come again."""


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        loss_super, loss_base: as of `Epoch`, of the whole batch.
        seconds: that it took.
        cpu_s: of them those that this process computed in, of all its threads: on a busy machine, less.
    """

    loss_super: float
    loss_base: float
    seconds: float
    cpu_s: float


@dataclass(frozen=True)
class Bill:
    """What a training takes, as far as some steps tell.

    Attributes:
        step_s: median of all steps but the first, seconds.
        step_cpu_s: the same of the processor's seconds.
        memory_bytes: the most that one process held: of the GPU where there is one, else of the machine.
        steps: of the whole training.
        taught: whether it has a teacher, which is left out: neither trained nor asked.
    """

    step_s: float
    step_cpu_s: float
    memory_bytes: int
    steps: int
    taught: bool = False

    @property
    def hours(self) -> float:
        """The whole training without its measurements after each epoch, in hours on what took the steps."""
        return self.steps * self.step_s / 3600

    def __str__(self) -> str:
        held = self.memory_bytes / 2**30
        return (
            f"{self.step_s:.3g} s a step ({self.step_cpu_s:.3g} s of the processor), {held:.2f} GiB a process; all "
            f"{self.steps:,} steps of the recipe would take {self.hours:,.1f} h like this"
            f"{', its teacher left out' if self.taught else ''}. Nothing is trained by these steps."
        )


def synthetic(shape: DatasetShape, images: int, seed: int) -> Dataset:
    """Noise with labels drawn at random, of a data set's shape: there is nothing to be learnt from it.

    Args:
        images: of training; validation and test have one each.
    """
    rng = np.random.default_rng(seed)

    def split(count: int) -> Split:
        pixels = rng.integers(0, 256, (count, *shape.image_shape), np.uint8)
        return Split(pixels, rng.integers(0, shape.classes, count))

    names = tuple(map(str, range(shape.classes)))
    return Dataset("synthetic", names, shape.image_shape, split(images), split(1), split(1))


def steps(settings: TrainingSettings, count: int, *, noise: int = 0) -> Iterator[Step]:
    """Takes the first steps of a training, as `loop.train` does, but without a teacher.

    Args:
        count: how many, as far as the training has so many; where an epoch has fewer, the next one follows.
        noise: so many synthetic images in place of the recipe's; 0 for the recipe's.

    Raises:
        DimmerError: the data set is nowhere, or smaller than a batch; noise has nothing of what is to be learnt.
    """
    train, place = settings.train, processes.device()
    check_shares(settings)
    if noise:
        if isinstance(settings.source, OwnData) and settings.source.section.task != CLASSES:
            raise DimmerError(f"noise has classes alone, and the task is {settings.source.section.task}: use the data")
        if train.augmentation.audiomentations:
            raise DimmerError("noise has no recordings that audiomentations could change: use the data")
        data = synthetic(dataset_shape(settings.source), _SYNTHETIC_BATCHES * train.batch, train.seed)
    else:
        with processes.once_a_machine():
            data = load_dataset(settings.source)
    if len(data.train) < train.batch:
        raise DimmerError(f"{len(data.train)} images are fewer than a batch of {train.batch}; lower train.batch")
    trainer = trainer_of(settings, place)
    kinds = plan(settings, trainer)
    images = Batches(data.train.images, data.image_shape[:2], train.augmentation, place, data.sounds)
    trainer.network.train()
    have = len(data.train) // train.batch
    per_epoch = noise // train.batch if noise else have
    if not per_epoch:
        raise DimmerError(f"{noise} images are fewer than a batch of {train.batch}; lower train.batch")
    for number in range(min(count, kinds[-1].phase.end * per_epoch)):
        epoch, i = divmod(number, per_epoch)
        if i == 0:
            rng = np.random.default_rng([train.seed, epoch])
            order = data.order(rng)
            seed_torch(train.seed, epoch)
        kind = kind_at(kinds, epoch)
        if i == 0 and epoch == kind.phase.first:
            kind.prepare()
        kind.reached((epoch - kind.phase.first + i / per_epoch) / kind.phase.epochs)
        began, computed = time.monotonic(), time.process_time()
        rate = kind.phase.learning_rate(epoch, i, per_epoch)
        at = i % have
        index = order[at * train.batch : (at + 1) * train.batch]
        losses = take_step(kind, images, data.train.labels, index, rate, rng, kind.number(epoch, i, per_epoch))
        found = processes.averaged(losses).tolist()
        yield Step(found[0], found[1], time.monotonic() - began, time.process_time() - computed)


def bill(settings: TrainingSettings, taken: list[Step], images: int) -> Bill:
    """What the whole training would take.

    Args:
        taken: the steps that were measured, two or more.
        images: of the training set.

    Raises:
        DimmerError: the training has a single step.
    """
    if len(taken) < 2:
        raise DimmerError("the first step is slower than others, and there is no second one: lower train.batch")
    qat, polish, train = settings.qat, settings.polish, settings.train
    epochs = train.epochs + qat.epochs + qat.norm_epochs + polish.epochs
    if torch.cuda.is_available():
        held = torch.cuda.max_memory_allocated()
    else:
        held = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    median, cpu = (statistics.median(times) for times in zip(*((s.seconds, s.cpu_s) for s in taken[1:]), strict=True))
    return Bill(median, cpu, held, epochs * (images // train.batch), settings.teacher.epochs > 0)
