"""The training of gates, epoch by epoch, resumable."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dimmer.pipeline.artifacts.checkpoint import GATES, find_checkpoint, load_tensors, save_tensors
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import Json, atomic_write
from dimmer.pipeline.data.dataset import Dataset, Images, Split
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.gates.budget import gate_macs
from dimmer.pipeline.networks.measure import accuracy
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.subnets.static_front import best_within
from dimmer.pipeline.training.augment import pad
from dimmer.pipeline.training.batches import augment
from dimmer.pipeline.training.gate_trainer import STEPS, Epoch, GateTrainer, measure, sample_budget

CHECKPOINT = "checkpoint.safetensors"

HISTORY = "history.json"

STATE = "state.safetensors"

VALIDATION_IMAGES = 1000

# Warm-up knows what to choose, and learns it faster than the steps behind it may.
_WARM_UP_RATE = 30.0


def gates_hash(recipe: Recipe) -> str:
    """What trained gates depend on: the backbone's training and the gates' section without what is only measured."""
    section = asdict(recipe.gates)
    del section["budgets"]
    return json.dumps([recipe.training_hash(), section], sort_keys=True)


def train_gates(
    recipe: Recipe,
    out: Path,
    *,
    checkpoint: Path | None = None,
    device: str | None = None,
    data: str = "",
    progress: Progress = lambda text, share: None,
) -> Path:
    """Train a model's gates, or go on with their interrupted training, or find it done.

    Args:
        recipe: the model's recipe.
        out: folder to write to.
        checkpoint: of the backbone, instead of the one that ``find_checkpoint`` finds.
        device: torch device; the first GPU if there is one, else the CPU.
        progress: called with what is being done and the share done, 0..1.

    Returns:
        The gates, beside which ``history.json`` lies.

    Raises:
        DimmerError: the recipe has no gates, there is no backbone, a file is damaged, or the training diverged.
    """
    settings = recipe.gates
    if not settings.epochs:
        raise DimmerError(f"{recipe.name} has no gates: give [gates] in {recipe.path} an epochs of 1 or more")
    backbone = checkpoint or find_checkpoint(recipe)
    final, saved = out / GATES, out / STATE
    run_id = {"model": recipe.name, "gates": gates_hash(recipe), "backbone": load_tensors(backbone)[1].get("run")}
    if data:
        run_id["data"] = data
    if final.is_file() and load_tensors(final)[1].get("run") == run_id:
        return final
    trainer = GateTrainer(recipe, backbone, torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu")))
    history: list[Epoch] = []
    if saved.is_file():
        tensors, record = load_tensors(saved)
        # A state of other settings is no error: whoever changed the recipe wants a new training.
        if record.get("run") == run_id:
            trainer.restore(tensors)
            history = [Epoch(**line) for line in record["history"]]
    dataset = load_dataset(recipe.model.dataset)
    augmentation = recipe.train.augmentation
    images = pad(dataset.train.images, augmentation.pad, augmentation.pad_value)
    steps = [STEPS[0]] * settings.warmup_epochs + [STEPS[1]] * settings.epochs + [STEPS[2]] * settings.tune_epochs
    text = f"epoch {len(history) + 1} of {len(steps)}" + (f" after {history[-1]}" if history else "")
    few = dataset.train.images[: settings.front_images]
    if len(history) < settings.warmup_epochs:
        trainer.find_front(few, lambda share: progress("static modes to start from", len(history) / len(steps)))
    for epoch in range(len(history), len(steps)):

        def tell(share: float, text: str = text, epoch: int = epoch) -> None:
            progress(text, (epoch + share) / len(steps))

        history.append(_run_epoch(trainer, images, dataset, steps, epoch, tell))
        trainer.keep_if_best(history)
        save_tensors(saved, trainer.state(), {"run": run_id, "history": [asdict(line) for line in history]})
        text = f"epoch {epoch + 1} of {len(steps)} done in {history[-1].seconds:.0f} s: {history[-1]}"
        progress(text, (epoch + 1) / len(steps))
    if not trainer.front or settings.backbone_lr > 0:
        trainer.find_front(few, lambda share: progress("static modes to compare with", 1.0))
    _finish(trainer, dataset, history, run_id, out)
    saved.unlink(missing_ok=True)
    return final


def _run_epoch(
    trainer: GateTrainer, images: Images, dataset: Dataset, steps: list[str], epoch: int, tell: Callable[[float], None]
) -> Epoch:
    began = time.monotonic()
    settings, step = trainer.settings, steps[epoch]
    rng = np.random.default_rng([trainer.recipe.train.seed, epoch, len(STEPS)])
    order = rng.permutation(len(dataset.train))[: settings.images or None]
    per_epoch = len(order) // settings.batch
    if not per_epoch:
        raise DimmerError(f"{len(order)} training images make no batch of {settings.batch}; lower gates.batch")
    loss = miss = 0.0
    for i in range(per_epoch):
        index = order[i * settings.batch : (i + 1) * settings.batch]
        x = augment(images[index], dataset.image_shape[:2], trainer.recipe.train.augmentation, rng)
        if step == "cost" and settings.backbone_lr > 0:
            labels = torch.from_numpy(dataset.train.labels[index])
            trainer.step_backbone(x, labels, rng)
        lr = settings.lr
        if step == "warm-up":
            lr *= _WARM_UP_RATE
        if step == "tuning":
            done = (steps[:epoch].count(step) + i / per_epoch) / settings.tune_epochs
            lr *= 0.5 * (1 + math.cos(math.pi * done))
        budgets = [sample_budget(settings, rng) for _ in range(settings.budgets_per_batch)]
        batch_loss, batch_miss = trainer.step(x, budgets, step, lr)
        loss += batch_loss / per_epoch
        miss += batch_miss / per_epoch
        tell((i + 1) / per_epoch)
    if not math.isfinite(loss):
        raise DimmerError(f"training diverged in epoch {epoch + 1}; lower gates.lr in {trainer.recipe.path}")
    val = {}
    for budget in settings.budgets:
        found = measure(trainer.gated, dataset.val, budget, VALIDATION_IMAGES)
        val[str(budget)] = (found.accuracy, found.cost)
    return Epoch(epoch + 1, step, loss, miss, val, round(time.monotonic() - began, 1))


def _finish(trainer: GateTrainer, dataset: Dataset, history: list[Epoch], run_id: dict[str, Any], out: Path) -> None:
    """Look at the test images, once, and write history, backbone and gates; these last, as they end the training."""
    settings, config = trainer.settings, trainer.recipe.model.config
    if trainer.best:
        trainer.gated.gates.load_state_dict(trainer.best)
    statics = _Statics(trainer, dataset)
    lines = []
    for budget in settings.budgets:
        found = {
            "val": measure(trainer.gated, dataset.val, budget, VALIDATION_IMAGES),
            "test": measure(trainer.gated, dataset.test, budget),
        }
        # Chosen on training and validation images; the test images only tell how good it was.
        static = best_within(trainer.front, found["val"].cost)
        lines.append(
            {
                "budget": budget,
                **{name: asdict(value) for name, value in found.items()},
                "static": statics.on_test(static.mode),
            }
        )
    macs = gate_macs(config, settings.config())
    cost = trainer.trainer.network.cost()
    record = {
        "run": run_id,
        "seed": trainer.recipe.train.seed,
        "gates": {
            "options": settings.options,
            "features": settings.features,
            "hidden": settings.hidden,
            "reference_bits": settings.reference_bits,
            "macs": macs,
            "share_of_macs": macs / (cost.fixed + sum(map(sum, cost.blocks))),
            "parameters": sum(p.numel() for p in trainer.gated.gates.parameters()),
        },
        "budgets": lines,
        "uniform": [statics.on_test(mode) for mode in trainer.recipe.gated_modes()],
        "skipping": statics.skipping(),
    }
    text = json.dumps({**record, "history": [asdict(line) for line in history]}, indent=1) + "\n"
    atomic_write(out / HISTORY, text)
    if settings.backbone_lr > 0:
        save_tensors(out / CHECKPOINT, trainer.trainer.network.state_dict(), {"run": run_id})
    save_tensors(out / GATES, trainer.gated.gates.state_dict(), record)


class _Statics:
    """Static modes on the test images, each measured once."""

    def __init__(self, trainer: GateTrainer, dataset: Dataset) -> None:
        self._trainer = trainer
        self._dataset = dataset
        self._found: dict[str, Json] = {}

    def on_test(self, mode: Mode) -> Json:
        """The mode's cost, and percent of the test images that it gets right."""
        name = str(mode)
        if name not in self._found:
            cost = self._trainer.gated.cost.relative(mode)
            self._found[name] = {"mode": name, "cost": cost, "test": self._right(self._dataset.test, mode)}
        return self._found[name]

    def skipping(self) -> list[Json]:
        """What skipping alone gives: of the 8-bit depth patterns of each cost the best on validation images."""
        by_cost: dict[float, list[Mode]] = {}
        for mode in self._trainer.recipe.depth_patterns():
            by_cost.setdefault(self._trainer.gated.cost.relative(mode), []).append(mode)
        best = [
            max(modes, key=lambda mode: self._right(self._dataset.val, mode)) if len(modes) > 1 else modes[0]
            for _, modes in sorted(by_cost.items(), reverse=True)
        ]
        return [self.on_test(mode) for mode in best]

    def _right(self, split: Split, mode: Mode) -> float:
        return accuracy(self._trainer.trainer.network, split, mode, self._trainer.device)
