"""The training of a network, epoch by epoch, resumable."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dimmer.pipeline.artifacts.checkpoint import load_tensors, run_id, save_tensors, teacher_folder
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.data.dataset import Dataset
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.modes.mode import FULL_BITS, base_mode, super_mode
from dimmer.pipeline.networks import Network, build
from dimmer.pipeline.networks.measure import accuracy
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.training.augment import pad
from dimmer.pipeline.training.batches import Batches
from dimmer.pipeline.training.history import Epoch, _Clock
from dimmer.pipeline.training.phases import Phase, phases
from dimmer.pipeline.training.recorded import RecordedSteps
from dimmer.pipeline.training.sampling import polished_mode, sample_mode
from dimmer.pipeline.training.trainer import Trainer

CHECKPOINT = "checkpoint.safetensors"

HISTORY = "history.json"

STATE = "state.safetensors"

SETTLE_BATCHES = 80


def override(recipe: Recipe, seed: int | None, epochs: int | None) -> Recipe:
    """The recipe with another seed or number of epochs."""
    settings = recipe.train
    settings = replace(
        settings,
        seed=settings.seed if seed is None else seed,
        epochs=settings.epochs if epochs is None else epochs,
    )
    return replace(recipe, train=settings)


def train(
    recipe: Recipe,
    out: Path,
    *,
    alone: str | None = None,
    device: str | None = None,
    start: Path | None = None,
    data: str = "",
    progress: Progress = lambda text, share: None,
) -> Path:
    """Train a model, or go on with its interrupted training, or find it done.

    Args:
        recipe: the model's recipe; ``override`` gives it another seed.
        out: folder to write to.
        alone: "super" or "base" for the plain network of that depth.
        start: checkpoint of a finished float training with the same settings: only the narrow widths' epochs remain.
        device: torch device; the first GPU if there is one, else the CPU.
        progress: called with what is being done and the share done, 0..1.

    Returns:
        The checkpoint, beside which ``history.json`` lies.

    Raises:
        DimmerError: the data set is nowhere, a file is damaged, or the training diverged.
    """
    final, saved = out / CHECKPOINT, out / STATE
    run = run_id(recipe, alone)
    if data:
        run["data"] = data
    if final.is_file() and load_tensors(final)[1].get("run") == run:
        return final
    place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    trainer = Trainer(recipe, alone, place, _teacher(recipe, out, device, progress))
    history: list[Epoch] = []
    if saved.is_file():
        tensors, record = load_tensors(saved)
        # A state of other settings is no error: whoever changed the recipe wants a new training.
        if record.get("run") == run:
            trainer.restore(tensors)
            history = [Epoch(**line) for line in record["history"]]
    settings = recipe.train
    if start and not history:
        history = _start(trainer, start, recipe, alone)
    dataset = load_dataset(recipe.model.dataset)
    padded = pad(dataset.train.images, settings.augmentation.pad, settings.augmentation.pad_value)
    images = Batches(padded, dataset.image_shape[:2], settings.augmentation, place)
    recorded = RecordedSteps(trainer) if place.type == "cuda" else None
    plan = phases(recipe, alone=bool(alone))
    epochs = plan[-1].end
    clock = _Clock(progress, epochs, len(history), str(history[-1]) if history else "")
    for epoch in range(len(history), epochs):
        if epoch == settings.epochs and recipe.qat.epochs:
            trainer.widen()
        phase = next(p for p in plan if epoch < p.end)
        if phase.name == "polish" and epoch == phase.first:
            trainer.freeze()
        history.append(_run_epoch(trainer, recorded, images, dataset, epoch, phase, clock))
        save_tensors(saved, trainer.state(), {"run": run, "history": [asdict(line) for line in history]})
        clock.epoch_done(history[-1])
    if recipe.qat.epochs and not alone:
        trainer.settle_norms(_settle_batches(trainer, images), dataset.val)
    _finish(trainer, dataset, history, run, out)
    saved.unlink(missing_ok=True)
    return final


def _teacher(recipe: Recipe, out: Path, device: str | None, progress: Progress) -> Network | None:
    """The recipe's teacher, trained beside ``out`` if it was not before."""
    if not recipe.teacher.epochs:
        return None
    of_teacher = recipe.of_teacher()
    checkpoint = train(
        of_teacher,
        teacher_folder(out),
        alone="super",
        device=device,
        progress=lambda text, share: progress(f"teacher, {text}", 0.0),
    )
    config = of_teacher.model.config.alone("super")
    network = build(recipe.model.family, config)
    network.load_state_dict(load_tensors(checkpoint)[0])
    return network


def _start(trainer: Trainer, start: Path, recipe: Recipe, alone: str | None) -> list[Epoch]:
    """Takes up a float training's weights; returns its history, of which only the accuracy at the end is known."""
    if alone or not recipe.qat.epochs:
        raise DimmerError(f"--start is for models with narrow widths; [qat] epochs is 0 in {recipe.path}")
    tensors, record = load_tensors(start)
    if record.get("epochs") != recipe.train.epochs or record.get("run", {}).get("alone"):
        raise DimmerError(f"{start} is no float training of {recipe.train.epochs} epochs, as {recipe.path} asks for")
    try:
        trainer.start_from(tensors)
    except RuntimeError as error:
        raise DimmerError(f"{start} holds another network than {recipe.path} describes: {error}") from error
    ended = record["accuracy"]
    line = Epoch(0, 0.0, 0.0, None, ended["super"]["val"], ended["base"]["val"], 0.0)
    return [replace(line, epoch=epoch + 1) for epoch in range(recipe.train.epochs)]


def _run_epoch(
    trainer: Trainer,
    recorded: RecordedSteps | None,
    images: Batches,
    dataset: Dataset,
    epoch: int,
    phase: Phase,
    clock: _Clock,
) -> Epoch:
    began = time.monotonic()
    settings = trainer.settings
    rng = np.random.default_rng([settings.seed, epoch])
    order = rng.permutation(len(dataset.train))
    qat, average = trainer.recipe.qat, trainer.recipe.average
    averaging = phase.name == "average"
    narrow = phase.name != "float" and qat.epochs > 0
    weights = None
    if averaging and average.prune:
        order, weights = trainer.prune(order, average.prune, rng)
    per_epoch = len(order) // settings.batch
    if not per_epoch:
        few = f"epoch {epoch + 1} has {len(order)} images, fewer than a batch of {settings.batch}"
        raise DimmerError(f"{few}; lower train.batch or average.prune in {trainer.recipe.path}")
    sums = torch.zeros(2, device=trainer.device)
    lr = 0.0
    trainer.network.train()
    for i in range(per_epoch):
        index = order[i * settings.batch : (i + 1) * settings.batch]
        x = images(index, rng)
        lr = phase.learning_rate(epoch, i, per_epoch)
        base_loss: torch.Tensor | None = None
        if phase.name == "norms":
            modes = trainer.narrow_modes()
            loss = trainer.step_norms(x, modes[i % len(modes)], lr)
        elif phase.name == "polish":
            loss = trainer.step_mode(x, polished_mode(trainer.network, trainer.recipe.polish, rng), lr)
        else:
            sampled = sample_mode(trainer.network, qat, rng) if narrow else None
            labels = torch.from_numpy(dataset.train.labels[index])
            if recorded is not None and weights is None:
                losses = recorded.step(x, labels, lr, sampled)
            else:
                losses = trainer.step(x, labels, lr, sampled, None if weights is None else weights[index])
            loss, base_loss = losses.label, losses.base
            if weights is not None:
                trainer.losses[index] = losses.each.cpu()
        if averaging and epoch - phase.first >= average.lead:
            trainer.add_to_mean()
        sums += torch.stack([loss, loss if base_loss is None else base_loss])
        clock.step(epoch + (i + 1) / per_epoch)
    means = (sums.cpu() / per_epoch).tolist()
    if not math.isfinite(sum(means)):
        raise DimmerError(f"training diverged in epoch {epoch + 1}; lower train.lr in {trainer.recipe.path}")
    if averaging and epoch == phase.end - 1:
        trainer.take_mean(_settle_batches(trainer, images))
    val_super = accuracy(trainer.network, dataset.val, trainer.super, trainer.device)
    base = trainer.base
    val_base = None if base is None else accuracy(trainer.network, dataset.val, base, trainer.device)
    loss_base = None if base is None else means[1]
    widths = {}
    if narrow:
        config = trainer.network.config
        for bits in config.bits:
            if bits != FULL_BITS:
                mode = super_mode(config.mandatory, config.skippable, bits)
                widths[str(bits)] = accuracy(trainer.network, dataset.val, mode, trainer.device)
    seconds = round(time.monotonic() - began, 1)
    place = trainer.device
    device = torch.cuda.get_device_name(place) if place.type == "cuda" else place.type
    return Epoch(epoch + 1, lr, means[0], loss_base, val_super, val_base, seconds, widths, device)


def _settle_batches(trainer: Trainer, images: Batches) -> list[torch.Tensor]:
    """As many batches float32[N,C,H,W] as make the norms' statistics exact, augmented as in training."""
    settings = trainer.settings
    rng = np.random.default_rng([settings.seed, len(images)])
    order = rng.permutation(len(images))
    size = min(settings.batch, len(images))
    return [
        images(order[start : start + size], rng)
        for start in range(0, min(len(images) - size + 1, SETTLE_BATCHES * size), size)
    ]


def _finish(trainer: Trainer, dataset: Dataset, history: list[Epoch], run: dict[str, Any], out: Path) -> None:
    """Look at the test images, once, and write history and checkpoint; the checkpoint last, as it ends the training."""
    modes = {"super": trainer.super} if trainer.base is None else {"super": trainer.super, "base": trainer.base}
    config = trainer.network.config
    for bits in config.bits:
        if bits != FULL_BITS:
            modes[f"super-{bits}"] = super_mode(config.mandatory, config.skippable, bits)
            modes[f"base-{bits}"] = base_mode(config.mandatory, config.skippable, bits)
    network, place = trainer.network, trainer.device
    figures = {
        name: {"val": accuracy(network, dataset.val, mode, place), "test": accuracy(network, dataset.test, mode, place)}
        for name, mode in modes.items()
    }
    settings = trainer.settings
    record = {
        "run": run,
        "seed": settings.seed,
        "epochs": settings.epochs,
        "torch": str(torch.__version__),
        "devices": list(dict.fromkeys(line.device for line in history)),
        "accuracy": figures,
    }
    text = json.dumps({**record, "history": [asdict(line) for line in history]}, indent=1) + "\n"
    atomic_write(out / HISTORY, text)
    save_tensors(out / CHECKPOINT, network.state_dict(), record)
