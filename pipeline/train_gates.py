"""Training of the gates: ``python -m pipeline.train_gates --model NAME``.

Three steps, after Shen et al., Fractional Skipping (AAAI 2020): the gates warm up with the backbone frozen, here
towards the best static mode of each budget and not towards full execution; they learn towards a cost, with the backbone
where the recipe gives it a learning rate; they are tuned with the backbone frozen again. Each batch has budgets of its
own, so that one set of gates serves all battery levels.

``gates.safetensors`` lies beside the checkpoint, which stays as it is. With a trained backbone, its new
``checkpoint.safetensors`` lies there too. The state is saved after each epoch: a run that was killed goes on where it
stopped and ends in the same bits.
"""

from __future__ import annotations

import itertools
import json
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from pipeline.checkpoint import (
    GATES,
    find_checkpoint,
    find_gates,
    gates_folder,
    load_network,
    load_tensors,
    save_tensors,
)
from pipeline.command import build_folder, main_of, model_option, progress_bar
from pipeline.data import Dataset, Images, Split, load_dataset, to_input
from pipeline.data.augment import pad
from pipeline.errors import DimmerError
from pipeline.networks import ResNet, clamp_gammas
from pipeline.networks.gate_config import LEVELS, budget_level, direction, gate_macs, gated_cost, level_budget
from pipeline.networks.gates import GatedNetwork, Gates, Outcome
from pipeline.recipe import GatesSection, Recipe, load_recipe
from pipeline.stage import ROOT, Json, StageResult, atomic_write, run_stage
from pipeline.static_front import StaticMode, best_within, static_front
from pipeline.trainer import Trainer, accuracy, augment, distillation, sample_mode

CODE = (
    "pipeline/train_gates.py",
    "pipeline/static_front.py",
    "pipeline/trainer.py",
    "pipeline/data",
    "pipeline/networks",
    "calibration/weights.py",
)
CHECKPOINT = "checkpoint.safetensors"
HISTORY = "history.json"
STATE = "state.safetensors"
STEPS = ("warm-up", "cost", "tuning")
# What the softmax of the wanted option is warmed up to: over that, its gradient would vanish.
_WARM = 0.8
# Warm-up knows what to choose, and learns it faster than the steps behind it may.
_WARM_UP_RATE = 30.0
_EXCESS = 0.1
_EVAL_BATCH = 250

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Epoch:
    """One line of the history.

    Attributes:
        epoch: counted from 1.
        step: "warm-up", "cost" or "tuning".
        loss: mean loss of the logits.
        miss: mean |cost / budget - 1| of the parts of the batches.
        val: budget -> [percent right, mean cost] on validation images.
        seconds: wall clock.
    """

    epoch: int
    step: str
    loss: float
    miss: float
    val: Mapping[str, tuple[float, float]]
    seconds: float

    def __str__(self) -> str:
        at = ", ".join(f"{right:.2f} % at {cost:.3f}" for right, cost in self.val.values())
        return f"{self.step}, loss {self.loss:.3f}, off the budget by {self.miss:.0%}, validation {at}"


def penalty(line: Epoch) -> float:
    """What the epoch to keep has least of: the mean over the budgets of the share that is wrong on validation images,
    and of a tenth of the share by which the budget is exceeded."""
    each = [
        1 - right / 100 + _EXCESS * max(0.0, cost / float(budget) - 1) for budget, (right, cost) in line.val.items()
    ]
    return sum(each) / len(each)


@dataclass(frozen=True)
class Measured:
    """Gated inferences of one split with one budget.

    Attributes:
        accuracy: percent.
        cost: mean, as a fraction of the 8-bit super-net's.
        modes: mode -> how many inputs ran in it, the most frequent first.
    """

    accuracy: float
    cost: float
    modes: Mapping[str, int]


def sample_budget(settings: GatesSection, rng: np.random.Generator) -> float:
    """A budget between the lowest and 1, evenly in its logarithm, in the steps that the firmware has."""
    return level_budget(int(rng.integers(budget_level(settings.lowest_budget), LEVELS + 1)))


def make_gated(recipe: Recipe, network: ResNet) -> GatedNetwork:
    """A network with untrained gates; seed torch before for repeatable weights."""
    config, shape = recipe.model.config(), recipe.gates.config()
    cost = gated_cost(config, network.cost(), shape, recipe.gates.reference_bits)
    return GatedNetwork(network, Gates(config, shape), cost)


def gates_hash(recipe: Recipe) -> str:
    """What trained gates depend on: the backbone's training and the gates' section without what is only measured."""
    section = asdict(recipe.gates)
    del section["budgets"]
    return json.dumps([recipe.training_hash(), section], sort_keys=True)


@torch.no_grad()
def measure(gated: GatedNetwork, split: Split, budget: float, count: int | None = None) -> Measured:
    """Classifies the first `count` images of a split, all of them by default; the network ends up in eval mode."""
    gated.eval()
    device = next(gated.parameters()).device
    total = min(len(split), count or len(split))
    shape = [len(stage) for stage in gated.network.stages]  # type: ignore[arg-type]
    right, spent = 0, 0.0
    modes: Counter[str] = Counter()
    for start in range(0, total, _EVAL_BATCH):
        stop = min(start + _EVAL_BATCH, total)
        x = to_input(split.images[start:stop]).contiguous(memory_format=torch.channels_last).to(device)
        outcome = gated(x, _levels(budget, x))
        right += int((outcome.logits.argmax(1).cpu().numpy() == split.labels[start:stop]).sum())
        spent += float(outcome.cost.double().sum())
        modes.update(_names(outcome.bits(), shape))
    return Measured(100 * right / total, spent / total, dict(modes.most_common()))


def choices(recipe: Recipe, network: ResNet, gates: Gates, split: Split, budget: float) -> NDArray[np.int64]:
    """What trained gates choose for a split in front of the float network: bits, int64[N, blocks]."""
    gated = GatedNetwork(network, gates, make_gated(recipe, network).cost).eval()
    rows = []
    with torch.no_grad():
        for start in range(0, len(split), _EVAL_BATCH):
            x = to_input(split.images[start : start + _EVAL_BATCH])
            rows.append(gated(x, _levels(budget, x)).bits().numpy())
    return np.concatenate(rows)


def _levels(budget: float, x: Tensor) -> Tensor:
    return torch.full((len(x),), float(budget_level(budget)), device=x.device)


def _parts(count: int, budgets: Sequence[float]) -> list[slice]:
    """The rows of a batch that each budget has."""
    ends = [count * i // len(budgets) for i in range(len(budgets) + 1)]
    return [slice(first, last) for first, last in itertools.pairwise(ends)]


def _names(bits: Tensor, shape: list[int]) -> list[str]:
    """int64[N, blocks] -> the modes' names; widths of two digits are told apart by commas."""
    comma = "," if int(bits.max()) > 9 else ""
    names = []
    for row in bits.tolist():
        stages, at = [], 0
        for count in shape:
            stages.append(comma.join(map(str, row[at : at + count])))
            at += count
        names.append(".".join(stages))
    return names


class GateTrainer:
    """Gates, their backbone, and how both learn from a batch."""

    def __init__(self, recipe: Recipe, checkpoint: Path, device: torch.device) -> None:
        self.recipe = recipe
        self.settings = recipe.gates
        self.device = device
        self.trainer = Trainer(recipe, None, device)
        self.trainer.network.load_state_dict(load_network(recipe, checkpoint).state_dict())
        torch.manual_seed(recipe.train.seed)
        self.gated = make_gated(recipe, self.trainer.network).to(device)
        self.best: dict[str, Tensor] = {}
        self.front: tuple[StaticMode, ...] = ()
        # The gates' own cost, which the budget of the whole super-net at 1 has no room for.
        self.overhead = max(self.gated.cost.relative(self.trainer.super) - 1, 0.0)
        self.optimizer = torch.optim.Adam(self.gated.gates.parameters(), lr=self.settings.lr)

    def step(self, x: Tensor, budgets: Sequence[float], step: str, lr: float) -> tuple[float, float]:
        """One optimizer step.

        Args:
            x: float32[N,C,H,W].
            budgets: of equal parts of the batch, one after the other.
            step: one of `STEPS`.
            lr: of the gates.

        Returns:
            The loss of the logits, and the mean of |cost / budget - 1|.
        """
        x = x.to(self.device).contiguous(memory_format=torch.channels_last)
        parts = _parts(len(x), budgets)
        network = self.trainer.network.eval()
        joint = step == "cost" and self.settings.backbone_lr > 0
        network.requires_grad_(joint)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.zero_grad()
        if joint:
            self.trainer.optimizer.zero_grad()
        with torch.no_grad(), self.trainer.autocast(narrow=bool(self.recipe.qat.epochs)):
            teacher = network(x, self.trainer.super).float()
        with self.trainer.autocast(narrow=bool(self.recipe.qat.epochs)):
            levels = torch.cat([_levels(b, x[part]) for b, part in zip(budgets, parts, strict=True)])
            outcome = self.gated(x, levels, alternatives=step != "warm-up")
        loss = distillation(outcome.logits, teacher, self.recipe.train.temperature)
        means = [outcome.cost[part].mean() / budget for budget, part in zip(budgets, parts, strict=True)]
        total = self._warm_up(outcome, budgets, parts) if step == "warm-up" else loss + self._pull(means)
        total.backward()
        self.optimizer.step()
        if joint:
            self.trainer.optimizer.step()
            clamp_gammas(network)
        return float(loss.detach()), sum(abs(float(mean.detach()) - 1) for mean in means) / len(means)

    def _warm_up(self, outcome: Outcome, budgets: Sequence[float], parts: Sequence[slice]) -> Tensor:
        """Cross-entropy towards the best static mode of each budget."""
        losses = []
        modes = [best_within(self.front, budget + self.overhead).mode for budget in budgets]
        for choice in outcome.choices:
            options = choice.place.options
            if len(options) == 1:
                continue
            target = torch.full_like(choice.logits, (1 - _WARM) / (len(options) - 1))
            for mode, part in zip(modes, parts, strict=True):
                target[part, options.index(mode.blocks[choice.place.stage][choice.place.block])] = _WARM
            losses.append(F.cross_entropy(choice.logits, target))
        return torch.stack(losses).mean()

    def find_front(self, images: Images, tell: Callable[[float], None]) -> None:
        """Tries static modes on training images uint8[N,H,W,C]."""
        x = to_input(images).contiguous(memory_format=torch.channels_last).to(self.device)
        places, temperature = self.gated.gates.places, self.recipe.train.temperature
        self.front = static_front(self.trainer.network, self.gated.cost, places, x, temperature, tell)

    def _pull(self, means: Sequence[Tensor]) -> Tensor:
        """From the mean costs, relative to their budgets: a block at 4 or 2 bits matters as much to a low budget as one
        at 8 or 4 to a high one."""
        signs = [direction(float(mean.detach()), 1.0, self.settings.dead_band) for mean in means]
        pulls = [sign * mean for sign, mean in zip(signs, means, strict=True)]
        return self.settings.cost_weight * torch.stack(pulls).mean()

    def step_backbone(self, x: Tensor, labels: Tensor, rng: np.random.Generator) -> None:
        """The static modes go on learning as they did, so that one network serves them and the gates."""
        network = self.trainer.network
        network.requires_grad_(True)
        network.train()
        sampled = sample_mode(network, self.recipe.qat, rng) if self.recipe.qat.epochs else None
        self.trainer.step(x, labels, self.settings.backbone_lr, sampled)

    def state(self) -> dict[str, Tensor]:
        """Everything that the next epoch depends on."""
        tensors = {f"gates.{name}": tensor for name, tensor in self.gated.gates.state_dict().items()}
        for name, parameter in self.gated.gates.named_parameters():
            for key, value in self.optimizer.state[parameter].items():
                tensors[f"adam.{key}.{name}"] = value
        if self.settings.backbone_lr > 0:
            tensors |= self.trainer.state()
        return tensors | {f"best.{name}": tensor for name, tensor in self.best.items()}

    def keep_if_best(self, history: Sequence[Epoch]) -> None:
        """Remembers the gates of the last epoch if none was better; with a trained backbone only while it rests."""
        resting = [line for line in history if not (self.settings.backbone_lr > 0 and line.step != STEPS[2])]
        if resting and history[-1] is min(resting, key=penalty):
            self.best = {name: tensor.clone() for name, tensor in self.gated.gates.state_dict().items()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up a state."""
        self.gated.gates.load_state_dict(_under("gates.", tensors))
        self.best = _under("best.", tensors)
        for name, parameter in self.gated.gates.named_parameters():
            for key in ("step", "exp_avg", "exp_avg_sq"):
                if (value := tensors.get(f"adam.{key}.{name}")) is not None:
                    self.optimizer.state[parameter][key] = value.to("cpu" if key == "step" else self.device)
        if self.settings.backbone_lr > 0:
            self.trainer.restore({n: t for n, t in tensors.items() if n.startswith(("network.", "momentum."))})


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def train_gates(
    recipe: Recipe,
    out: Path,
    *,
    checkpoint: Path | None = None,
    device: str | None = None,
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
        found = measure(trainer.gated, dataset.val, budget, 1000)
        val[str(budget)] = (found.accuracy, found.cost)
    return Epoch(epoch + 1, step, loss, miss, val, round(time.monotonic() - began, 1))


def _finish(trainer: GateTrainer, dataset: Dataset, history: list[Epoch], run_id: dict[str, Any], out: Path) -> None:
    """Look at the test images, once, and write history, backbone and gates; these last, as they end the training."""
    settings, config = trainer.settings, trainer.recipe.model.config()
    if trainer.best:
        trainer.gated.gates.load_state_dict(trainer.best)
    lines = []
    for budget in settings.budgets:
        found = {name: measure(trainer.gated, getattr(dataset, name), budget) for name in ("val", "test")}
        # Chosen on training and validation images; the test images only tell how good it was.
        static = best_within(trainer.front, found["val"].cost)
        beside = {
            name: accuracy(trainer.trainer.network, getattr(dataset, name), static.mode, trainer.device)
            for name in ("val", "test")
        }
        lines.append(
            {
                "budget": budget,
                **{name: asdict(value) for name, value in found.items()},
                "static": {"mode": str(static.mode), "cost": static.cost, **beside},
            }
        )
    network = trainer.trainer.network
    uniform = [
        {
            "mode": str(mode),
            "cost": trainer.gated.cost.relative(mode),
            "val": accuracy(network, dataset.val, mode, trainer.device),
            "test": accuracy(network, dataset.test, mode, trainer.device),
        }
        for mode in trainer.recipe.gated_modes()
    ]
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
        "uniform": uniform,
    }
    text = json.dumps({**record, "history": [asdict(line) for line in history]}, indent=1) + "\n"
    atomic_write(out / HISTORY, text)
    if settings.backbone_lr > 0:
        save_tensors(out / CHECKPOINT, trainer.trainer.network.state_dict(), {"run": run_id})
    save_tensors(out / GATES, trainer.gated.gates.state_dict(), record)


def load_gates(recipe: Recipe, path: Path | None = None) -> Gates:
    """The trained gates, in eval mode on the CPU.

    Raises:
        DimmerError: there are none, or those of another network.
    """
    path = path or find_gates(recipe)
    tensors, _ = load_tensors(path)
    gates = Gates(recipe.model.config(), recipe.gates.config())
    try:
        gates.load_state_dict(tensors)
    except RuntimeError as error:
        raise DimmerError(f"{path} holds other gates than {recipe.path} describes; train them again") from error
    return gates.eval()


def run(recipe: Recipe, build: Path, progress: Progress, checkpoint: Path | None = None) -> StageResult:
    """The stage ``gates``; resumes when interrupted.

    Raises:
        DimmerError: as ``train_gates``.
    """
    backbone = checkpoint or find_checkpoint(recipe)

    def action(out: Path) -> None:
        train_gates(recipe, out, checkpoint=backbone, progress=progress)

    settings: dict[str, Json] = {
        "model": recipe.name,
        "gates": gates_hash(recipe),
        "budgets": recipe.gates.budgets,
    }
    code = [ROOT / path for path in CODE]
    return run_stage("gates", gates_folder(build), [backbone], settings, code, action, keep_partial=True)


def main(
    model: Annotated[str, model_option] = "cifar10-r14",
    seed: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; equal bits need equal numbers.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write to, instead of build/<model>/gates.")] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="Backbone, instead of the model's.")] = None,
    ship: Annotated[bool, typer.Option(help="Then put gates and results into the model's folder.")] = False,
) -> None:
    """Train a model's gates; an interrupted training goes on where it stopped."""
    if threads:
        torch.set_num_threads(threads)
    recipe = load_recipe(model)
    if seed is not None:
        recipe = replace(recipe, train=replace(recipe.train, seed=seed))
    with progress_bar("gates") as progress:
        if out:
            train_gates(recipe, out, checkpoint=checkpoint, progress=progress)
        else:
            out = gates_folder(build_folder(recipe))
            run(recipe, build_folder(recipe), progress, checkpoint)
    record = load_tensors(out / GATES)[1]
    for line in record["budgets"]:
        test, static = line["test"], line["static"]
        print(
            f"budget {line['budget']:.3f}: cost {test['cost']:.3f}, {test['accuracy']:.2f} % of the test images; "
            f"static {static['mode']} cost {static['cost']:.3f}, {static['test']:.2f} %"
        )
    gates = record["gates"]
    print(f"gates: {gates['macs']} MACs, {gates['share_of_macs']:.2%} of the network's, {gates['parameters']} weights")
    print(out / GATES)
    if ship:
        from pipeline.ship import ship_gates

        print(ship_gates(recipe, out))


if __name__ == "__main__":
    main_of(main)
