# SPDX-License-Identifier: Apache-2.0
"""The training of gates, epoch by epoch, resumable."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import CHECKPOINT, GATES, load_tensors, read_network, save_tensors
from dimmer.pipeline.artifacts.gate_record import (
    BudgetFigures,
    GateFigures,
    GateRecord,
    GateRunId,
    StaticFigures,
    load_gate_record,
)
from dimmer.pipeline.artifacts.training_record import STATE, is_finished
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.data.dataset import Dataset, Images, Split
from dimmer.pipeline.data.encoding import to_input
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.gates.budget import gate_macs
from dimmer.pipeline.networks.measure import accuracy
from dimmer.pipeline.subnets.norms import Preferred, preferred
from dimmer.pipeline.subnets.static_front import StaticMode, best_within
from dimmer.pipeline.training.batches import Batches
from dimmer.pipeline.training.gate_history import GateEpoch, Validated, penalty
from dimmer.pipeline.training.gate_kinds import GateKind, gate_kind_at, gate_plan
from dimmer.pipeline.training.gate_settings import GateSettings
from dimmer.pipeline.training.gate_trainer import GateTrainer
from dimmer.pipeline.training.gated import measure
from dimmer.pipeline.training.resume import load_state, other_state_explained
from dimmer.pipeline.training.trainer import seed_torch

HISTORY = "history.json"
VALIDATION_IMAGES = 1000

# Tells the random choices of an epoch from those of a training of the network.
_RANDOM_STREAM = 3


def train_gates(
    settings: GateSettings,
    out: Path,
    *,
    checkpoint: Path,
    device: str | None = None,
    data: str = "",
    progress: Progress = lambda text, share: None,
) -> Path:
    """Train a model's gates, or go on with their interrupted training, or find it done.

    Args:
        settings: of the training.
        out: folder to write to.
        checkpoint: of the backbone.
        device: torch device; the first GPU if there is one, else the CPU.
        data: hash of the data set's contents: with another, it is another training.
        progress: called with what is being done and the share done, 0..1.

    Returns:
        The gates, beside which ``history.json`` lies.

    Raises:
        DimmerError: the recipe has no gates, a file is damaged, or the training diverged.
    """
    gates = settings.gates
    if not gates.epochs:
        raise DimmerError(f"{settings.name} has no gates: give [gates] in {settings.path} an epochs of 1 or more")
    final, saved = out / GATES, out / STATE
    run = GateRunId(settings.name, settings.hash(), load_tensors(checkpoint)[1].get("run"), data)
    if is_finished(final, run.to_json()):
        if tuple(line.budget for line in load_gate_record(final).budgets) != gates.served:
            raise DimmerError(f"{final} was measured at other budgets than are wanted now; name another folder")
        return final
    place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    network = read_network(settings.model, checkpoint, settings.path)
    trainer = GateTrainer(network, gates, settings.train, settings.qat, place)
    kinds = gate_plan(trainer)
    history: list[GateEpoch] = []
    if found := load_state(saved, run.to_json(), GateEpoch):
        tensors, history = found
        if any({float(budget) for budget in line.val} != set(gates.served) for line in history):
            raise DimmerError(f"{saved} was begun with other budgets than are wanted now; name another folder")
        with other_state_explained(saved):
            trainer.restore(tensors)
    dataset = load_dataset(settings.source)
    # On the CPU, whose augmentation draws the same everywhere.
    augmentation, few = settings.train.augmentation, dataset.train.images[: gates.front_images]
    images = Batches(dataset.train.images, dataset.image_shape[:2], augmentation, torch.device("cpu"), dataset.sounds)
    began, epochs = len(history), kinds[-1].end
    text = f"epoch {began + 1} of {epochs}" + (f" after {history[-1]}" if history else "")
    for epoch in range(began, epochs):
        kind = gate_kind_at(kinds, epoch)
        if epoch in (began, kind.first):
            _begin(kind, few, progress, epoch / epochs)

        def tell(share: float, text: str = text, epoch: int = epoch) -> None:
            progress(text, (epoch + share) / epochs)

        history.append(_run_epoch(settings, trainer, kind, images, dataset, epoch, tell))
        candidates = [line for line in history if gate_kind_at(kinds, line.epoch - 1).keeps]
        if candidates and history[-1] is min(candidates, key=penalty):
            trainer.keep()
        record = {"run": run.to_json(), "history": [line.to_json() for line in history]}
        save_tensors(saved, trainer.state(), record)
        text = f"epoch {epoch + 1} of {epochs} done in {history[-1].seconds:.0f} s: {history[-1]}"
        progress(text, (epoch + 1) / epochs)
    searched = "static modes to compare with"
    front = trainer.static_front(few, lambda share: progress(f"{searched}: {share:.0%}", 1.0), own=True)
    _finish(settings, trainer, dataset, front, history, run, out, lambda text: progress(text, 1.0))
    saved.unlink(missing_ok=True)
    return final


def _begin(kind: GateKind, few: Images, progress: Progress, done: float) -> None:
    kind.begin(few, lambda share: progress("static modes to start from", done))


def _run_epoch(
    settings: GateSettings,
    trainer: GateTrainer,
    kind: GateKind,
    images: Batches,
    dataset: Dataset,
    epoch: int,
    tell: Callable[[float], None],
) -> GateEpoch:
    began = time.monotonic()
    gates = settings.gates
    rng = np.random.default_rng([settings.train.seed, epoch, _RANDOM_STREAM])
    seed_torch(settings.train.seed, epoch)
    order = dataset.order(rng)[: gates.images or None]
    per_epoch = len(order) // gates.batch
    if not per_epoch:
        few = f"{len(order)} training images make no batch of {gates.batch}"
        raise DimmerError(f"{few}; lower gates.batch in {settings.path}")
    loss = miss = 0.0
    for i in range(per_epoch):
        index = order[i * gates.batch : (i + 1) * gates.batch]
        x = images(index, rng)
        labels = torch.from_numpy(dataset.train.labels[index])
        losses = kind.step(x, labels, kind.rate(epoch, i / per_epoch), rng)
        loss += losses.logits / per_epoch
        miss += losses.miss / per_epoch
        tell((i + 1) / per_epoch)
    if not math.isfinite(loss):
        raise DimmerError(f"training diverged in epoch {epoch + 1}; lower gates.lr in {settings.path}")
    val = {}
    for budget in gates.served:
        found = measure(trainer.gated, dataset.val, budget, VALIDATION_IMAGES)
        val[str(budget)] = Validated(found.accuracy, found.cost)
    return GateEpoch(epoch + 1, kind.name, loss, miss, val, round(time.monotonic() - began, 1))


def _finish(
    settings: GateSettings,
    trainer: GateTrainer,
    dataset: Dataset,
    front: Sequence[StaticMode],
    history: Sequence[GateEpoch],
    run: GateRunId,
    out: Path,
    tell: Callable[[str], None],
) -> None:
    """Look at the test images, once, and write history, backbone and gates; these last, as they end the training."""
    if trainer.best:
        trainer.gated.gates.load_state_dict(trainer.best)
    statics = _Statics(trainer, dataset, dataset.train.images[: settings.gates.front_images])
    budgets = []
    for budget in settings.gates.served:
        tell(f"test images with a budget of {budget:g}")
        budgets.append(_with_budget(trainer, dataset, statics, front, budget))
    tell("test images of static modes")
    record = GateRecord(
        run=run,
        seed=settings.train.seed,
        gates=_figures(trainer),
        budgets=tuple(budgets),
        uniform=tuple(statics.on_test(mode) for mode in settings.uniform),
        skipping=statics.skipping(),
    ).to_json()
    text = json.dumps({**record, "history": [line.to_json() for line in history]}, indent=1) + "\n"
    atomic_write(out / HISTORY, text)
    if settings.gates.backbone_lr > 0:
        save_tensors(out / CHECKPOINT, trainer.backbone.network.state_dict(), {"run": run.to_json()})
    save_tensors(out / GATES, trainer.gated.gates.state_dict(), record)


def _with_budget(
    trainer: GateTrainer, dataset: Dataset, statics: _Statics, front: Sequence[StaticMode], budget: float
) -> BudgetFigures:
    val = measure(trainer.gated, dataset.val, budget, VALIDATION_IMAGES)
    test = measure(trainer.gated, dataset.test, budget)
    # Chosen on training and validation images; the test images only tell how good it was.
    static = best_within(front, val.cost)
    return BudgetFigures(budget, val, test, statics.on_test(static.mode))


def _figures(trainer: GateTrainer) -> GateFigures:
    settings, network = trainer.settings, trainer.backbone.network
    macs, cost = gate_macs(network.config, settings.config()), network.cost()
    return GateFigures(
        options=settings.options,
        features=settings.features,
        hidden=settings.hidden,
        reference_bits=settings.reference_bits,
        only_budget=settings.only_budget,
        macs=macs,
        share_of_macs=macs / (cost.fixed + sum(map(sum, cost.blocks))),
        parameters=sum(p.numel() for p in trainer.gated.gates.parameters()),
    )


class _Statics:
    """Static modes on the test images, each measured once; mixed ones with the statistics that validation prefers."""

    def __init__(self, trainer: GateTrainer, dataset: Dataset, norms: Images) -> None:
        self._trainer = trainer
        self._dataset = dataset
        self._norms = trainer.backbone.here(to_input(norms))
        self._found: dict[Mode, StaticFigures] = {}

    def on_test(self, mode: Mode) -> StaticFigures:
        """The mode's cost, and percent of the test images that it gets right."""
        if mode not in self._found:
            cost = self._trainer.gated.cost.relative(mode)
            with self._preferred(mode) as found:
                self._found[mode] = StaticFigures(str(mode), cost, self._right(self._dataset.test, mode), found.own)
        return self._found[mode]

    def skipping(self) -> tuple[StaticFigures, ...]:
        """What skipping alone gives: of the 8-bit depth patterns of each cost the best on validation images."""
        by_cost: dict[float, list[Mode]] = {}
        for mode in self._trainer.backbone.network.depth_patterns():
            by_cost.setdefault(self._trainer.gated.cost.relative(mode), []).append(mode)
        best = [
            max(modes, key=self._validated) if len(modes) > 1 else modes[0]
            for _, modes in sorted(by_cost.items(), reverse=True)
        ]
        return tuple(self.on_test(mode) for mode in best)

    def _validated(self, mode: Mode) -> float:
        with self._preferred(mode) as found:
            return found.chosen

    def _preferred(self, mode: Mode) -> AbstractContextManager[Preferred]:
        network = self._trainer.backbone.network
        return preferred(network, mode, self._norms, lambda: self._right(self._dataset.val, mode))

    def _right(self, split: Split, mode: Mode) -> float:
        return accuracy(self._trainer.backbone.network, split, mode, self._trainer.device)
