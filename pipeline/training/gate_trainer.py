"""Gates, their backbone, and how both learn from a batch; `pipeline.train_gates` runs the epochs."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from dimmer.pipeline.artifacts.checkpoint import load_network
from dimmer.pipeline.data.dataset import Images, Split
from dimmer.pipeline.data.encoding import to_input
from dimmer.pipeline.networks import Network, clamp_gammas
from dimmer.pipeline.networks.gates.budget import LEVELS, budget_level, direction, gated_cost, level_budget
from dimmer.pipeline.networks.gates.network import GatedNetwork, Gates, Outcome
from dimmer.pipeline.networks.measure import distillation
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.recipe.sections.gates import GatesSection
from dimmer.pipeline.subnets.static_front import StaticMode, best_within, static_front
from dimmer.pipeline.training.sampling import sample_mode
from dimmer.pipeline.training.trainer import Trainer

STEPS = ("warm-up", "cost", "tuning")
# What the softmax of the wanted option is warmed up to: over that, its gradient would vanish.
_WARM = 0.8
_EXCESS = 0.1
_EVAL_BATCH = 250


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
    and of a tenth of the share by which the budget is exceeded.
    """
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


def make_gated(recipe: Recipe, network: Network) -> GatedNetwork:
    """A network with untrained gates; seed torch before for repeatable weights."""
    config, shape = recipe.model.config, recipe.gates.config()
    cost = gated_cost(config, network.cost(), shape, recipe.gates.reference_bits)
    return GatedNetwork(network, Gates(config, shape), cost)


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


def choices(recipe: Recipe, network: Network, gates: Gates, split: Split, budget: float) -> NDArray[np.int64]:
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
        """One optimizer step, in float32 whatever the precision of the backbone's training.

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
        with torch.no_grad():
            teacher = network(x, self.trainer.super)
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
        at 8 or 4 to a high one.
        """
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
