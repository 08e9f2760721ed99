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
from numpy.typing import NDArray
from torch import Tensor

from dimmer import processes
from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import CHECKPOINT, read_into, save_tensors, teacher_folder
from dimmer.pipeline.artifacts.training_record import (
    STATE,
    Accuracy,
    RunId,
    TrainingRecord,
    is_finished,
    load_checkpoint,
)
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.data.dataset import Dataset, Targets
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.modes.mode import FULL_BITS, super_mode
from dimmer.pipeline.networks.measure import accuracy
from dimmer.pipeline.training.batches import Batches, library
from dimmer.pipeline.training.history import Clock, Epoch
from dimmer.pipeline.training.kinds.kind import Kind
from dimmer.pipeline.training.losses import Taught, Teacher
from dimmer.pipeline.training.plan import kind_at, plan
from dimmer.pipeline.training.resume import (
    load_state,
    other_state_explained,
    restore_trainer,
    start_from,
    trainer_state,
)
from dimmer.pipeline.training.settings import TrainingSettings
from dimmer.pipeline.training.trainer import Trainer, seed_torch
from dimmer.pipeline.training.widths import uniform_modes
from dimmer.processes import agreed

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
    if agreed(lambda: is_finished(final, run.to_json())):
        return final
    if settings.train.augmentation.libraries:
        library().check_library(settings.train.augmentation)
    found = agreed(lambda: load_state(saved, run.to_json(), Epoch))
    if start and not found:
        # Before a teacher is trained for hours.
        _check_start(start, settings, data)
    place = torch.device(device) if device else processes.device()
    check_shares(settings)
    taught = _teacher(settings, teacher or teacher_folder(out), place, data, progress)
    trainer = trainer_of(settings, place)
    kinds = plan(settings, trainer, taught)
    history: list[Epoch] = []
    if found:
        tensors, history = found
        with other_state_explained(saved):
            restore_trainer(trainer, tensors)
            for kind in kinds:
                kind.restore(tensors)
    if start and not history:
        history = _start(trainer, start, settings)
    with processes.once_a_machine():
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
        if processes.is_first():
            save_tensors(saved, _state(trainer, kinds), record)
        clock.epoch_done(history[-1])
    for kind in kinds:
        kind.finish(images, dataset)
    _finish(settings, trainer, dataset, history, run, out)
    if processes.is_first():
        saved.unlink(missing_ok=True)
    return final


def trainer_of(settings: TrainingSettings, place: torch.device) -> Trainer:
    """The untrained network, with its optimizer."""
    scaled = "fp16" in (settings.train.precision, settings.qat.precision)
    return Trainer(settings.untrained(), settings.train, place, alone=settings.alone is not None, scaled=scaled)


def check_shares(settings: TrainingSettings) -> None:
    """Refuses a batch that cannot be dealt out evenly to all processes and parts.

    Raises:
        DimmerError: it cannot.
    """
    train, shares = settings.train, processes.count() * settings.train.accumulate
    some = math.ceil(settings.qat.share * train.batch)
    if shares > 1 and (train.batch % shares or some % shares):
        seen = f" or the {some} images of qat.share" if train.batch % shares == 0 else ""
        raise DimmerError(
            f"train.batch = {train.batch}{seen} cannot be dealt out to {processes.count()} processes and "
            f"{train.accumulate} parts of each: choose a multiple of {shares} in {settings.path}"
        )


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
    network = own.untrained()
    network.load_state_dict(agreed(lambda: read_into(network, checkpoint, own.path).state_dict()))
    return Taught(Teacher(network, settings.train.precision, place), teacher.weight, teacher.temperature)


def _check_start(start: Path, settings: TrainingSettings, data: str) -> None:
    """Whether a training can go on from a checkpoint.

    Raises:
        DimmerError: it cannot; it is missing, damaged, or of another network, other settings or other data.
    """
    if settings.alone or not settings.qat.epochs:
        raise DimmerError(f"--start is for models with narrow widths; [qat] epochs is 0 in {settings.path}")
    if not agreed(start.is_file):
        raise DimmerError(f"--start {start}: there is no such checkpoint; train one, or leave --start away")
    tensors, record = agreed(lambda: load_checkpoint(start))
    epochs = settings.train.epochs
    if record.epochs != epochs or record.run.alone:
        raise DimmerError(f"{start} is no float training of {epochs} epochs, as {settings.path} asks for")
    try:
        start_from(settings.untrained(), tensors)
    except RuntimeError as error:
        raise DimmerError(f"{start} holds another network than {settings.path} describes: {error}") from error
    wanted = settings.of_float().run_id(data)
    known = record.run.data and data
    if record.run.training != wanted.training or (known and record.run.data != data):
        what = "other data" if record.run.training == wanted.training else "another [model], [train] or [teacher]"
        raise DimmerError(
            f"{start} is of {what} than {settings.path} has now: the record would say what was not done; "
            "name one of the same without [qat] and [polish], or leave --start away"
        )


def _start(trainer: Trainer, start: Path, settings: TrainingSettings) -> list[Epoch]:
    """Takes up a float training's weights; returns its history, of which only the accuracy at the end is known."""
    epochs = settings.train.epochs
    tensors, record = agreed(lambda: load_checkpoint(start))
    start_from(trainer.network, tensors)
    ended = record.accuracy
    line = Epoch(0, 0.0, 0.0, None, ended["super"].val, ended["base"].val, 0.0, {}, record.devices[-1], record.torch)
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
    seed_torch(settings.train.seed, epoch)
    for i in range(per_epoch):
        lr = kind.phase.learning_rate(epoch, i, per_epoch)
        kind.reached((epoch - kind.phase.first + i / per_epoch) / kind.phase.epochs)
        number = kind.number(epoch, i, per_epoch)
        sums += take_step(kind, images, dataset.train.labels, order[i * batch : (i + 1) * batch], lr, rng, number)
        clock.step(epoch + (i + 1) / per_epoch)
    loss, base_loss = (processes.averaged(sums).cpu() / per_epoch).tolist()
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
        torch=str(torch.__version__),
    )


def take_step(
    kind: Kind,
    images: Batches,
    targets: Targets,
    index: NDArray[np.int64],
    lr: float,
    rng: np.random.Generator,
    i: int,
) -> Tensor:
    """One step with the images at these positions, of which this process sees its share.

    Args:
        index: positions of the whole batch, of all processes.
        i: of the step, as `Kind.number` has it.

    Returns:
        The super-net's loss and the base-net's of this share, float32[2]; twice the first where there is no other.
    """
    part = processes.own()
    x, labels = images(index, rng, part), torch.from_numpy(targets[index[part]])
    losses = kind.step(x, labels, lr, rng, i)
    return torch.stack([losses.main, losses.main if losses.base is None else losses.base])


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
        name: Accuracy(
            accuracy(network, dataset.val, mode, device), accuracy(network, dataset.test, mode, device, dataset.val)
        )
        for name, mode in modes.items()
    }
    record = TrainingRecord(
        run=run,
        seed=settings.train.seed,
        epochs=settings.train.epochs,
        torch=", ".join(dict.fromkeys(line.torch for line in history if line.torch)) or str(torch.__version__),
        devices=tuple(dict.fromkeys(line.device for line in history)),
        accuracy=accuracies,
    ).to_json()
    if not processes.is_first():
        return
    text = json.dumps({**record, "history": [asdict(line) for line in history]}, indent=1) + "\n"
    atomic_write(out / HISTORY, text)
    save_tensors(out / CHECKPOINT, network.state_dict(), record)
