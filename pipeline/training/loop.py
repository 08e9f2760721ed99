# SPDX-License-Identifier: Apache-2.0
"""The training of a network, epoch by epoch, resumable."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import read_into, save_tensors, teacher_folder
from dimmer.pipeline.artifacts.training_record import Accuracy, RunId, TrainingRecord, is_finished, load_checkpoint
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.data.dataset import Dataset
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.modes.mode import FULL_BITS, super_mode
from dimmer.pipeline.networks.measure import accuracy
from dimmer.pipeline.training.batches import Batches, library
from dimmer.pipeline.training.history import Clock, Epoch
from dimmer.pipeline.training.kinds.kind import Kind
from dimmer.pipeline.training.losses import Taught, Teacher
from dimmer.pipeline.training.plan import kind_at, plan
from dimmer.pipeline.training.resume import (
    STATE,
    load_state,
    other_state_explained,
    restore_trainer,
    start_from,
    trainer_state,
)
from dimmer.pipeline.training.settings import TrainingSettings
from dimmer.pipeline.training.trainer import Trainer
from dimmer.pipeline.training.widths import uniform_modes

CHECKPOINT = "checkpoint.safetensors"
HISTORY = "history.json"


def train(
    settings: TrainingSettings,
    out: Path,
    *,
    device: str | None = None,
    start: Path | None = None,
    teacher: Path | None = None,
    data: str = "",
    progress: Progress = lambda text, share: None,
) -> Path:
    """Train a network, or go on with its interrupted training, or find it done.

    Args:
        settings: of the training.
        out: folder to write to.
        device: torch device; the first GPU if there is one, else the CPU.
        start: checkpoint of a finished float training with the same settings: only the narrow widths' epochs remain.
        teacher: folder in which the teacher is trained, or was; by default one beside ``out``.
        data: hash of the data set's contents: with another, it is another training.
        progress: called with what is being done and the share done, 0..1.

    Returns:
        The checkpoint, beside which ``history.json`` lies.

    Raises:
        DimmerError: the data set is nowhere, a file is damaged, or the training diverged.
    """
    final, saved = out / CHECKPOINT, out / STATE
    run = settings.run_id(data)
    if is_finished(final, run.to_json()):
        return final
    if settings.train.augmentation.libraries:
        library().check_library(settings.train.augmentation)
    if start and not saved.is_file():
        # Before a teacher is trained for hours.
        _check_start(start, settings)
    place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    taught = _teacher(settings, teacher or teacher_folder(out), place, data, progress)
    trainer = Trainer(settings.untrained(), settings.train, place, alone=settings.alone is not None)
    kinds = plan(settings, trainer, taught)
    history: list[Epoch] = []
    if found := load_state(saved, run.to_json(), Epoch):
        tensors, history = found
        with other_state_explained(saved):
            restore_trainer(trainer, tensors)
            for kind in kinds:
                kind.restore(tensors)
    if start and not history:
        history = _start(trainer, start, settings)
    dataset = load_dataset(settings.source)
    augmentation = settings.train.augmentation
    images = Batches(dataset.train.images, dataset.image_shape[:2], augmentation, place, dataset.sounds)
    epochs = kinds[-1].phase.end
    clock = Clock(progress, epochs, history)
    for epoch in range(len(history), epochs):
        kind = kind_at(kinds, epoch)
        if epoch == kind.phase.first:
            kind.prepare()
        history.append(_run_epoch(settings, trainer, kind, images, dataset, epoch, clock))
        record = {"run": run.to_json(), "history": [asdict(line) for line in history]}
        save_tensors(saved, _state(trainer, kinds), record)
        clock.epoch_done(history[-1])
    for kind in kinds:
        kind.finish(images, dataset.val)
    _finish(settings, trainer, dataset, history, run, out)
    saved.unlink(missing_ok=True)
    return final


def _teacher(
    settings: TrainingSettings, folder: Path, place: torch.device, data: str, progress: Progress
) -> Taught | None:
    """What the settings' teacher adds to the losses; it is trained in its folder if it was not before."""
    teacher = settings.teacher
    if not teacher.epochs:
        return None
    own = settings.of_teacher()
    checkpoint = train(
        own,
        folder,
        device=str(place),
        data=data,
        progress=lambda text, share: progress(f"teacher, {text}", 0.0),
    )
    network = read_into(own.untrained(), checkpoint, own.path)
    return Taught(Teacher(network, settings.train.precision, place), teacher.weight, teacher.temperature)


def _check_start(start: Path, settings: TrainingSettings) -> None:
    """Whether a training can go on from a checkpoint.

    Raises:
        DimmerError: it cannot; it is missing, damaged, or of another network.
    """
    if settings.alone or not settings.qat.epochs:
        raise DimmerError(f"--start is for models with narrow widths; [qat] epochs is 0 in {settings.path}")
    if not start.is_file():
        raise DimmerError(f"--start {start}: there is no such checkpoint; train one, or leave --start away")
    tensors, record = load_checkpoint(start)
    epochs = settings.train.epochs
    if record.epochs != epochs or record.run.alone:
        raise DimmerError(f"{start} is no float training of {epochs} epochs, as {settings.path} asks for")
    try:
        start_from(settings.untrained(), tensors)
    except RuntimeError as error:
        raise DimmerError(f"{start} holds another network than {settings.path} describes: {error}") from error


def _start(trainer: Trainer, start: Path, settings: TrainingSettings) -> list[Epoch]:
    """Takes up a float training's weights; returns its history, of which only the accuracy at the end is known."""
    epochs = settings.train.epochs
    tensors, record = load_checkpoint(start)
    start_from(trainer.network, tensors)
    ended = record.accuracy
    line = Epoch(0, 0.0, 0.0, None, ended["super"].val, ended["base"].val, 0.0)
    return [replace(line, epoch=epoch + 1) for epoch in range(epochs)]


def _state(trainer: Trainer, kinds: Sequence[Kind]) -> dict[str, Tensor]:
    """Everything that the next epoch depends on."""
    tensors = trainer_state(trainer)
    for kind in kinds:
        tensors |= kind.state()
    return tensors


def _run_epoch(
    settings: TrainingSettings,
    trainer: Trainer,
    kind: Kind,
    images: Batches,
    dataset: Dataset,
    epoch: int,
    clock: Clock,
) -> Epoch:
    began = time.monotonic()
    batch = settings.train.batch
    rng = np.random.default_rng([settings.train.seed, epoch])
    order = dataset.order(rng)
    per_epoch = len(order) // batch
    if not per_epoch:
        few = f"epoch {epoch + 1} has {len(order)} images, fewer than a batch of {batch}"
        raise DimmerError(f"{few}; lower train.batch in {settings.path}")
    sums = torch.zeros(2, device=trainer.device)
    lr = 0.0
    trainer.network.train()
    for i in range(per_epoch):
        index = order[i * batch : (i + 1) * batch]
        x, labels = images(index, rng), torch.from_numpy(dataset.train.labels[index])
        lr = kind.phase.learning_rate(epoch, i, per_epoch)
        kind.reached((epoch - kind.phase.first + i / per_epoch) / kind.phase.epochs)
        losses = kind.step(x, labels, lr, rng, i)
        sums += torch.stack([losses.main, losses.main if losses.base is None else losses.base])
        clock.step(epoch + (i + 1) / per_epoch)
    loss, base_loss = (sums.cpu() / per_epoch).tolist()
    if not math.isfinite(loss + base_loss):
        raise DimmerError(f"training diverged in epoch {epoch + 1}; lower train.lr in {settings.path}")
    network, device, base = trainer.network, trainer.device, trainer.base
    return Epoch(
        epoch=epoch + 1,
        lr=lr,
        loss_super=loss,
        loss_base=None if base is None else base_loss,
        val_super=accuracy(network, dataset.val, trainer.super, device),
        val_base=None if base is None else accuracy(network, dataset.val, base, device),
        val_narrow=_narrow(trainer, dataset) if kind.narrow else {},
        seconds=round(time.monotonic() - began, 1),
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
    )


def _narrow(trainer: Trainer, dataset: Dataset) -> dict[str, float]:
    """Narrow width -> percent of the validation images that the super-net gets right with all blocks at it."""
    config = trainer.network.config
    modes = {
        str(bits): super_mode(config.mandatory, config.skippable, bits) for bits in config.bits if bits != FULL_BITS
    }
    return {bits: accuracy(trainer.network, dataset.val, mode, trainer.device) for bits, mode in modes.items()}


def _finish(
    settings: TrainingSettings, trainer: Trainer, dataset: Dataset, history: Sequence[Epoch], run: RunId, out: Path
) -> None:
    """Look at the test images, once, and write history and checkpoint; the checkpoint last, as it ends the training."""
    network, device = trainer.network, trainer.device
    modes = {"super": trainer.super} if trainer.base is None else uniform_modes(network.config)
    accuracies = {
        name: Accuracy(accuracy(network, dataset.val, mode, device), accuracy(network, dataset.test, mode, device))
        for name, mode in modes.items()
    }
    record = TrainingRecord(
        run=run,
        seed=settings.train.seed,
        epochs=settings.train.epochs,
        torch=str(torch.__version__),
        devices=tuple(dict.fromkeys(line.device for line in history)),
        accuracy=accuracies,
    ).to_json()
    text = json.dumps({**record, "history": [asdict(line) for line in history]}, indent=1) + "\n"
    atomic_write(out / HISTORY, text)
    save_tensors(out / CHECKPOINT, network.state_dict(), record)
