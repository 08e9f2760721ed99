"""One training step: Algorithm 1 of Adaptive Depth Networks (Kang & Lee, NeurIPS 2024), and what it needs.

The super-net learns from the labels, the base-net from the super-net's detached logits; then one optimizer step. The
patterns between them are never trained: distillation aligns their features well enough.
"""

from __future__ import annotations

import copy
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dimmer.calibration.batchnorm import Statistics, load_statistics, recalibrated, statistics
from dimmer.pipeline.data.dataset import Split
from dimmer.pipeline.modes.mode import FULL_BITS, Mode, base_mode, super_mode
from dimmer.pipeline.networks import Network, build, clamp_gammas
from dimmer.pipeline.networks.layers.norm import BitNorm
from dimmer.pipeline.networks.measure import accuracy, distillation
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.recipe.sections.training import QatSection, TrainSection
from dimmer.pipeline.training.losses import Lesson, Losses, Teacher, label_loss, mixed_precision
from dimmer.pipeline.training.optimiser import make_optimizer
from dimmer.pipeline.training.pruning import pruned


class Trainer:
    """A network, its optimizer, and how both learn from a batch.

    Args:
        recipe: with the seed already in place.
        alone: None for the adaptive network, "super" or "base" for a plain one of that depth.
        device: a torch device.
        teacher: the network that the super-net learns from beside the labels, in eval mode.
    """

    def __init__(self, recipe: Recipe, alone: str | None, device: torch.device, teacher: Network | None = None) -> None:
        self.recipe = recipe
        self.settings = recipe.train
        self.device = device
        config = recipe.model.config
        torch.manual_seed(self.settings.seed)
        network = build(recipe.model.family, config.alone(alone) if alone else config)
        self.network: Network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.super = self.network.super_mode()
        # A network with nothing to skip has one mode, and no base-net to teach.
        self.base = None if alone else self.network.base_mode()
        self.teacher = None if teacher is None else Teacher(teacher, self.settings.precision, device)
        self.frozen: Teacher | None = None
        self.optimizer = make_optimizer(self.network, self.settings)
        self.mean: dict[str, Tensor] = {}
        self.averaged = 0
        self.losses = torch.empty(0)

    def section(self, narrow: bool) -> TrainSection | QatSection:
        """Where the recipe has balance and precision of the float training, or of that of narrow widths."""
        return self.recipe.qat if narrow else self.settings

    def autocast(self, *, narrow: bool) -> torch.autocast | nullcontext[None]:
        """Mixed precision, where the recipe wants it."""
        return mixed_precision(self.device, self.section(narrow).precision)

    def step(
        self, x: Tensor, labels: Tensor, lr: float, sampled: Mode | None = None, weights: Tensor | None = None
    ) -> Losses:
        """One optimizer step.

        Args:
            x: float32[N,C,H,W].
            labels: int64[N].
            lr: learning rate of this step.
            sampled: a further mode that learns as the base-net does.
            weights: float32[N], of the images in every loss; all 1 without.
        """
        x = x.to(self.device).contiguous(memory_format=torch.channels_last)
        labels = labels.to(self.device)
        weights = None if weights is None else weights.to(self.device)
        self.set_rate(lr)
        self.optimizer.zero_grad()
        lesson = self.teach(x, labels, weights, narrow=sampled is not None)
        if sampled is not None:
            self.teach_sampled(sampled, lesson, labels, weights)
        lesson.stem.backward(lesson.shared.grad)
        self.update()
        return lesson.losses

    def set_rate(self, lr: float) -> None:
        """The learning rate of the next update."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr

    def update(self) -> None:
        """Change the weights by their gradients."""
        self.optimizer.step()
        clamp_gammas(self.network)

    def teach(self, x: Tensor, labels: Tensor, weights: Tensor | None, *, narrow: bool) -> Lesson:
        """The super-net learns from the labels and from the teacher, the base-net from the super-net: their gradients.

        Args:
            x: float32[N,C,H,W] on the network's device, channels last.
            labels: int64[N].
            weights: as for ``step``.
            narrow: a sampled mode follows.
        """
        with self.autocast(narrow=narrow):
            stem = self.network.stem(x)
        # All networks share the stem: it runs once, forward and backward, and its gradients meet here.
        shared = stem.detach().requires_grad_()
        weight = 1.0 if self.base is None else 2 * self.section(narrow).alpha
        with self.autocast(narrow=narrow):
            logits = self.network.features(shared, self.super)
        logits = logits.float()
        loss, each = label_loss(logits, labels, weights)
        if self.teacher is not None:
            settings = self.recipe.teacher
            taught = distillation(logits, self.teacher(x), settings.temperature, weights)
            loss = (1 - settings.weight) * loss + settings.weight * taught
        (weight * loss).backward()
        lesson = Lesson(stem, shared, logits.detach(), Losses(each.mean(), None, each))
        if self.base is None:
            return lesson
        part = slice(self.part(len(x), narrow=narrow))
        base_loss = self._step_student(self.base, part, lesson, labels, weights, narrow)
        return replace(lesson, losses=replace(lesson.losses, base=base_loss))

    def part(self, images: int, *, narrow: bool) -> int:
        """How many of a batch's images base-net and sampled mode see."""
        return math.ceil(self.recipe.qat.share * images) if narrow else images

    def teach_sampled(self, mode: Mode, lesson: Lesson, labels: Tensor, weights: Tensor | None) -> None:
        """A sampled mode learns from the super-net, as the base-net does."""
        part = slice(-self.part(len(labels), narrow=True), None)
        self._step_student(mode, part, lesson, labels, weights, narrow=True)

    def _step_student(
        self,
        mode: Mode,
        part: slice,
        lesson: Lesson,
        labels: Tensor,
        weights: Tensor | None,
        narrow: bool,
    ) -> Tensor:
        weights = None if weights is None else weights[part]
        with self.autocast(narrow=narrow):
            logits = self.network.features(lesson.shared[part], mode)
        logits = logits.float()
        loss = distillation(logits, lesson.logits[part], self.settings.temperature, weights)
        total = 2 * (1 - self.section(narrow).alpha) * loss
        if self.settings.base_label_weight:
            total = total + self.settings.base_label_weight * label_loss(logits, labels[part], weights)[0]
        total.backward()
        return loss.detach()

    def step_norms(self, x: Tensor, mode: Mode, lr: float) -> Tensor:
        """One optimizer step of the norms that a mode of one narrow width uses; nothing else changes.

        Args:
            x: float32[N,C,H,W].
            mode: all its blocks at 4 or at 2 bits.

        Returns:
            The detached distillation loss from the super-net.
        """
        x = x.to(self.device).contiguous(memory_format=torch.channels_last)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.zero_grad()
        network = self.network.eval()
        network.requires_grad_(False)
        bits = mode.blocks[0][0]
        for module in network.modules():
            if isinstance(module, BitNorm):
                module.at(bits).train().requires_grad_(True)
        with self.autocast(narrow=True):
            with torch.no_grad():
                teacher = network(x, self.super).float()
            student = network(x, mode).float()
        loss = distillation(student, teacher, self.settings.temperature)
        loss.backward()
        self.optimizer.step()
        clamp_gammas(network)
        network.requires_grad_(True)
        return loss.detach()

    def freeze(self) -> None:
        """From here on the super-net as it is now teaches in ``step_mode``; the momenta are forgotten."""
        network = copy.deepcopy(self.network).requires_grad_(False)
        self.frozen = Teacher(network, "fp32", self.device)
        self.optimizer.state.clear()

    def step_mode(self, x: Tensor, mode: Mode, lr: float) -> Tensor:
        """One optimizer step in which one mode learns from the frozen super-net, in float32.

        Args:
            x: float32[N,C,H,W].
            mode: any.
            lr: learning rate of this step.

        Returns:
            The detached distillation loss.
        """
        assert self.frozen is not None
        x = x.to(self.device).contiguous(memory_format=torch.channels_last)
        self.set_rate(lr)
        self.optimizer.zero_grad()
        loss = distillation(self.network(x, mode), self.frozen(x), self.settings.temperature)
        loss.backward()
        self.update()
        return loss.detach()

    def narrow_modes(self) -> tuple[Mode, ...]:
        """Super-net and base-net with all blocks at each narrow width."""
        config = self.network.config
        narrow = [bits for bits in config.bits if bits != FULL_BITS]
        return tuple(make(config.mandatory, config.skippable, b) for b in narrow for make in (super_mode, base_mode))

    def settle_norms(self, batches: Sequence[Tensor], validation: Split) -> dict[str, tuple[float, float]]:
        """Measures the norms' statistics anew, in super-net and base-net at each width.

        In training a norm also sees the inputs that modes of mixed widths give it, and its running mean is of all of
        them. A mode's own statistics are kept where it is no worse on validation images. Norms that several of these
        modes share stay as they are.

        Args:
            batches: training images float32[N,C,H,W], of equal N.

        Returns:
            Mode -> percent of the validation images before and after.
        """
        measured = self._measured(batches)
        users = Counter(name for found in measured.values() for name in found)
        outcome = {}
        for mode, found in measured.items():
            before = statistics(self.network)
            was = accuracy(self.network, validation, mode, self.device)
            load_statistics(self.network, {name: pair for name, pair in found.items() if users[name] == 1})
            now = accuracy(self.network, validation, mode, self.device)
            if now < was:
                load_statistics(self.network, before)
            outcome[str(mode)] = (was, max(was, now))
        return outcome

    def _measured(self, batches: Sequence[Tensor]) -> dict[Mode, Statistics]:
        """The norms' statistics in super-net and base-net at each width."""
        config = self.network.config
        modes = [make(config.mandatory, config.skippable, b) for b in config.bits for make in (super_mode, base_mode)]
        inputs = [x.to(self.device).contiguous(memory_format=torch.channels_last) for x in batches]
        return {m: recalibrated(self.network, partial(self.network, mode=m), inputs) for m in dict.fromkeys(modes)}

    def prune(
        self, order: NDArray[np.int64], share: float, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], Tensor]:
        """Leaves images out of an epoch, by the losses that they had when last seen.

        Args:
            order: int64[N], all images, shuffled.
            share: as for `pruned`.
            rng: of this epoch.

        Returns:
            int64[K] of those that stay, in the same order, and float32[N] the weight of every image.
        """
        if not len(self.losses):
            self.losses = torch.full((len(order),), float("nan"))
        stays, weights = pruned(self.losses.numpy(), share, rng)
        return order[stays[order]], torch.from_numpy(weights)

    def add_to_mean(self) -> None:
        """The weights after this step enter their mean."""
        self.averaged += 1
        with torch.no_grad():
            for name, parameter in self.network.named_parameters():
                if name not in self.mean:
                    self.mean[name] = torch.zeros_like(parameter)
                self.mean[name] += (parameter - self.mean[name]) / self.averaged

    def take_mean(self, batches: Sequence[Tensor]) -> None:
        """The mean of the weights becomes the network; its norms' statistics are measured, its momenta forgotten.

        Args:
            batches: training images float32[N,C,H,W], of equal N.
        """
        self.network.load_state_dict(self.mean, strict=False)
        self.mean, self.averaged, self.losses = {}, 0, torch.empty(0)
        self.optimizer.state.clear()
        of_norm: dict[str, list[tuple[Tensor, Tensor]]] = {}
        for found in self._measured(batches).values():
            for name, pair in found.items():
                of_norm.setdefault(name, []).append(pair)
        # Modes that share a norm, as all do the stem's, have the mean of what they see.
        means = {
            name: (torch.stack([m for m, _ in pairs]).mean(0), torch.stack([v for _, v in pairs]).mean(0))
            for name, pairs in of_norm.items()
        }
        load_statistics(self.network, means)

    def widen(self) -> None:
        """Give the narrow widths the norms that were trained at 8 bits: where their training starts."""
        with torch.no_grad():
            for module in self.network.modules():
                if isinstance(module, BitNorm):
                    trained = module.at(FULL_BITS).state_dict()
                    for bits in self.network.config.bits:
                        module.at(bits).load_state_dict(trained)

    def start_from(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the weights of a float training, with or without norms for several widths.

        Raises:
            RuntimeError: they are another network's.
        """
        own = {}
        for name in self.network.state_dict():
            float_name = re.sub(r"\.of_bits\.\d", "", name)
            at_full = re.sub(r"\.of_bits\.\d", f".of_bits.{FULL_BITS}", name)
            found = next((n for n in (float_name, at_full) if n in tensors), None)
            if found is None:
                raise RuntimeError(f"no tensor {float_name}")
            own[name] = tensors[found]
        self.network.load_state_dict(own)

    def state(self) -> dict[str, Tensor]:
        """Everything that the next epoch depends on: weights, norm statistics, momenta."""
        tensors = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        for name, parameter in self.network.named_parameters():
            momentum = self.optimizer.state[parameter].get("momentum_buffer")
            if momentum is not None:
                tensors[f"momentum.{name}"] = momentum
        if self.averaged:
            tensors |= {f"mean.{name}": tensor for name, tensor in self.mean.items()}
            tensors["averaged"] = torch.tensor(self.averaged)
        if len(self.losses):
            tensors["losses"] = self.losses
        if self.frozen is not None:
            tensors |= {f"frozen.{name}": tensor for name, tensor in self.frozen.network.state_dict().items()}
        return tensors

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up a state; strides follow the parameters', for the same sums in the same order."""
        own = {name.removeprefix("network."): t for name, t in tensors.items() if name.startswith("network.")}
        self.network.load_state_dict(own)
        self.mean = {name.removeprefix("mean."): t for name, t in tensors.items() if name.startswith("mean.")}
        self.averaged = int(tensors.get("averaged", torch.tensor(0)))
        self.losses = tensors.get("losses", torch.empty(0))
        if frozen := {name.removeprefix("frozen."): t for name, t in tensors.items() if name.startswith("frozen.")}:
            self.freeze()
            assert self.frozen is not None
            self.frozen.network.load_state_dict(frozen)
        for name, parameter in self.network.named_parameters():
            if (momentum := tensors.get(f"momentum.{name}")) is not None:
                self.optimizer.state[parameter]["momentum_buffer"] = torch.empty_like(parameter).copy_(momentum)
