# SPDX-License-Identifier: Apache-2.0
"""Gates, their backbone, and how both learn from a batch; `pipeline/training/gate_loop.py` runs the epochs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from dimmer.pipeline.artifacts.checkpoint import misfit
from dimmer.pipeline.data.dataset import Images
from dimmer.pipeline.data.encoding import to_input
from dimmer.pipeline.networks import Network
from dimmer.pipeline.networks.gates.budget import LEVELS, budget_level, direction, level_budget
from dimmer.pipeline.networks.gates.network import Outcome
from dimmer.pipeline.networks.tasks import distillation
from dimmer.pipeline.recipe.sections.gates import GatesSection
from dimmer.pipeline.recipe.sections.training import QatSection, TrainSection
from dimmer.pipeline.subnets.static_front import StaticMode, best_within, static_front
from dimmer.pipeline.training.algorithm1 import AdaptiveStep
from dimmer.pipeline.training.gated import levels, make_gated
from dimmer.pipeline.training.resume import restore_trainer, take_state, trainer_state
from dimmer.pipeline.training.trainer import Trainer

# What the softmax of the wanted option is warmed up to: over that, its gradient would vanish.
_WARM = 0.8


def sample_budget(settings: GatesSection, rng: np.random.Generator) -> float:
    """The only budget, or one between the lowest and 1, evenly in its logarithm; in the steps that the firmware has."""
    if settings.only_budget:
        return level_budget(budget_level(settings.only_budget))
    return level_budget(int(rng.integers(budget_level(settings.lowest_budget), LEVELS + 1)))


@dataclass(frozen=True)
class GatedBatch:
    """What the gates made of a batch.

    Attributes:
        outcome: logits, choices and costs.
        distilled: distillation loss from the super-net.
        budgets: of the parts.
        parts: rows of the batch that each budget has.
    """

    outcome: Outcome
    distilled: Tensor
    budgets: Sequence[float]
    parts: Sequence[slice]

    def spent(self) -> list[Tensor]:
        """Mean cost of each part, relative to its budget."""
        cost = self.outcome.cost
        return [cost[part].mean() / budget for budget, part in zip(self.budgets, self.parts, strict=True)]


@dataclass(frozen=True)
class GateLosses:
    """What a step measured.

    Attributes:
        logits: distillation loss from the super-net.
        miss: mean over the budgets of |cost / budget - 1|.
    """

    logits: float
    miss: float


class GateTrainer:
    """Gates, their backbone, and how both learn from a batch.

    Args:
        network: the trained backbone.
        gates: the gates and their training.
        train: seed and temperature, and how the backbone learnt.
        qat: how it learnt its narrow widths.
        device: a torch device.

    Attributes:
        settings: of the gates.
        device: as given.
        backbone: the network.
        gated: the same with its gates.
        front: static modes, none of them both dearer and farther from the super-net than another; empty until found.
        best: the gates to keep; empty before there are any.
    """

    def __init__(
        self, network: Network, gates: GatesSection, train: TrainSection, qat: QatSection, device: torch.device
    ) -> None:
        self.settings = gates
        self.device = device
        # `gates.batch` goes whole through the gates, and so through the backbone.
        self.backbone = Trainer(network, replace(train, accumulate=1), device)
        self._temperature = train.temperature
        self._lesson = AdaptiveStep(self.backbone, train, qat if qat.epochs else None)
        if self._lesson.frozen is not None:
            # As the backbone came: a training that is taken up begins with the same one.
            self._lesson.frozen.take()
        torch.manual_seed(train.seed)
        self.gated = make_gated(self.backbone.network, gates).to(device)
        self.front: tuple[StaticMode, ...] = ()
        self.best: dict[str, Tensor] = {}
        # The gates' own cost, which the budget of the whole super-net at 1 has no room for.
        self._overhead = max(self.gated.cost.relative(self.backbone.super) - 1, 0.0)
        self._optimizer = torch.optim.Adam(self.gated.gates.parameters(), lr=gates.lr)

    def step(
        self,
        x: Tensor,
        budgets: Sequence[float],
        lr: float,
        loss: Callable[[GatedBatch], Tensor],
        *,
        alternatives: bool = True,
        joint: bool = False,
    ) -> GateLosses:
        """One optimizer step, in float32 whatever the precision of the backbone's training.

        Args:
            x: float32[N,C,H,W].
            budgets: of equal parts of the batch, one after the other.
            lr: of the gates.
            loss: what they learn from.
            alternatives: whether it needs the gradient of what was not chosen.
            joint: the backbone learns too, with the learning rate of its last step.
        """
        x = self.backbone.here(x)
        network = self.backbone.network.eval()
        network.requires_grad_(joint)
        for group in self._optimizer.param_groups:
            group["lr"] = lr
        self._optimizer.zero_grad()
        if joint:
            self.backbone.optimizer.zero_grad()
        with torch.no_grad():
            teacher = network(x, self.backbone.super)
        parts = _parts(len(x), budgets)
        level = torch.cat([levels(b, x[part]) for b, part in zip(budgets, parts, strict=True)])
        outcome = self.gated(x, level, alternatives=alternatives)
        batch = GatedBatch(outcome, distillation(outcome.logits, teacher, self._temperature), budgets, parts)
        loss(batch).backward()
        self._optimizer.step()
        if joint:
            self.backbone.update()
        misses = [abs(float(spent.detach()) - 1) for spent in batch.spent()]
        return GateLosses(float(batch.distilled.detach()), sum(misses) / len(misses))

    def towards_static_modes(self, batch: GatedBatch) -> Tensor:
        """Cross-entropy towards the best static mode of each budget; ``find_front`` comes before."""
        losses = []
        modes = [best_within(self.front, budget + self._overhead).mode for budget in batch.budgets]
        for choice in batch.outcome.choices:
            options = choice.place.options
            if len(options) == 1:
                continue
            target = torch.full_like(choice.logits, (1 - _WARM) / (len(options) - 1))
            for mode, part in zip(modes, batch.parts, strict=True):
                target[part, options.index(mode.blocks[choice.place.stage][choice.place.block])] = _WARM
            losses.append(F.cross_entropy(choice.logits, target))
        return torch.stack(losses).mean()

    def towards_budgets(self, batch: GatedBatch) -> Tensor:
        """Distillation, and a pull of each part's mean cost towards its budget.

        Costs count relative to their budgets: a block at 4 or 2 bits matters as much to a low budget as one at 8 or 4
        to a high one.
        """
        spent = batch.spent()
        signs = [direction(float(mean.detach()), 1.0, self.settings.dead_band) for mean in spent]
        pulls = [sign * mean for sign, mean in zip(signs, spent, strict=True)]
        return batch.distilled + self.settings.cost_weight * torch.stack(pulls).mean()

    def find_front(self, images: Images, tell: Callable[[float], None]) -> None:
        """Tries static modes on training images uint8[N,H,W,C], with the norms that gates can use."""
        self.front = self.static_front(images, tell, own=False)

    def static_front(self, images: Images, tell: Callable[[float], None], *, own: bool) -> tuple[StaticMode, ...]:
        """The best static modes on training images uint8[N,H,W,C].

        Args:
            own: mixed modes have norm statistics of their own, as they would be published; gates cannot.
        """
        x = self.backbone.here(to_input(images))
        network, places, norms = self.backbone.network, self.gated.gates.places, x if own else None
        return static_front(network, self.gated.cost, places, x, self._temperature, tell, norms)

    def step_backbone(self, x: Tensor, labels: Tensor, rng: np.random.Generator) -> None:
        """The static modes go on learning as they did, so that one network serves them and the gates."""
        network = self.backbone.network
        network.requires_grad_(True)
        network.train()
        self._lesson.take(x, labels, self.settings.backbone_lr, self._lesson.sample(rng))

    def keep(self) -> None:
        """Remembers the gates as they are now."""
        self.best = {name: tensor.clone() for name, tensor in self.gated.gates.state_dict().items()}

    def state(self) -> dict[str, Tensor]:
        """Everything that the next epoch depends on."""
        tensors = {f"gates.{name}": tensor for name, tensor in self.gated.gates.state_dict().items()}
        for name, parameter in self.gated.gates.named_parameters():
            for key, value in self._optimizer.state[parameter].items():
                tensors[f"adam.{key}.{name}"] = value
        if self.settings.backbone_lr > 0:
            tensors |= trainer_state(self.backbone)
        return tensors | {f"best.{name}": tensor for name, tensor in self.best.items()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up a state."""
        take_state(self.gated.gates, _under("gates.", tensors))
        self.best = _under("best.", tensors)
        if self.best and (why := misfit(self.gated.gates, self.best)):
            raise RuntimeError(why)
        for name, parameter in self.gated.gates.named_parameters():
            for key in ("step", "exp_avg", "exp_avg_sq"):
                if (value := tensors.get(f"adam.{key}.{name}")) is not None:
                    if key != "step" and value.shape != parameter.shape:
                        raise RuntimeError(f"adam.{key}.{name} is of shape {list(value.shape)}")
                    self._optimizer.state[parameter][key] = value.to("cpu" if key == "step" else self.device)
        if self.settings.backbone_lr > 0:
            restore_trainer(self.backbone, tensors)


def _parts(count: int, budgets: Sequence[float]) -> list[slice]:
    """The rows of a batch that each budget has."""
    ends = [count * i // len(budgets) for i in range(len(budgets) + 1)]
    return [slice(first, last) for first, last in itertools.pairwise(ends)]


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
