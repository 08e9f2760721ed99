# SPDX-License-Identifier: Apache-2.0
"""One step of Algorithm 1 of Adaptive Depth Networks (Kang & Lee, NeurIPS 2024).

The super-net learns from the labels, the base-net from the super-net's detached logits; then one optimizer step. The
patterns between them are never trained: distillation aligns their features well enough. Where the network has narrow
widths, one or two sampled modes a step learn as the base-net does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.tasks import imitation, label_loss
from dimmer.pipeline.recipe.sections.training import QatSection, TrainSection
from dimmer.pipeline.training.frozen import Frozen
from dimmer.pipeline.training.losses import Losses, Taught, mean_losses, mixed_precision
from dimmer.pipeline.training.sampling import sample_modes
from dimmer.pipeline.training.trainer import Trainer

_PREFIX = "before."


@dataclass(frozen=True)
class Shared:
    """What super-net and base-net leave to the sampled modes and to the stem.

    Attributes:
        stem: the stem's output, whose backward pass waits for the gradients of all networks.
        features: the same without its past; its ``grad`` gathers them.
        logits: the super-net's, float32[N,classes], detached; those of before these epochs where it is frozen.
        losses: measured so far.
    """

    stem: Tensor
    features: Tensor
    logits: Tensor
    losses: Losses

    @property
    def stem_learns(self) -> bool:
        """Whether the stem has parameters: where its norms have twins, each network runs all of it by itself."""
        return self.stem.requires_grad


class AdaptiveStep:
    """How a network learns from a batch.

    Args:
        trainer: whose network learns.
        train: the distillation's temperature and the base-net's label loss; of the float training also balance and
            precision.
        qat: for epochs of narrow widths: their balance and precision, and how modes are sampled.
        taught: the teacher's part of the super-net's loss.
        base_learns: whether the base-net does, too.

    Attributes:
        trainer: as given.
        base: the base-net's mode; None where it does not learn.
        frozen: whose logits count in place of labels and teacher; None where those do.
    """

    def __init__(
        self,
        trainer: Trainer,
        train: TrainSection,
        qat: QatSection | None = None,
        taught: Taught | None = None,
        *,
        base_learns: bool = True,
    ) -> None:
        self.trainer = trainer
        self.base = trainer.base if base_learns else None
        self.frozen = Frozen(trainer, _PREFIX) if qat is not None and qat.frozen else None
        if self.frozen is not None:
            # Neither labels nor a teacher count, and nothing is learnt from logits of this step.
            train, taught = replace(train, base_labels=0.0, base_label_weight=0.0, mutual=0.0), None
        self._base_labels = train.base_labels
        self._smoothing = train.label_smoothing
        self._mutual = train.mutual
        self._temperature = train.temperature
        self._base_label_weight = train.base_label_weight
        self._alpha = train.alpha if qat is None else qat.alpha
        self._precision = train.precision if qat is None else qat.precision
        self._share = 1.0 if qat is None else qat.share
        self._qat = qat
        self._taught = taught

    def sample(self, rng: np.random.Generator) -> tuple[Mode, ...]:
        """The modes that learn beside super-net and base-net in the next step; none in float epochs."""
        return () if self._qat is None else sample_modes(self.trainer.network, self._qat, rng)

    def take(self, x: Tensor, labels: Tensor, lr: float, sampled: Sequence[Mode] = ()) -> Losses:
        """One optimizer step.

        Args:
            x: float32[N,C,H,W].
            labels: int64[N], or the targets of another task.
            lr: learning rate of this step.
            sampled: further modes that learn as the base-net does.
        """
        trainer = self.trainer
        trainer.begin(lr)
        measured = []
        for images, targets in trainer.parts(x, labels):
            shared = self.teach(images, targets)
            for mode in sampled:
                self.teach_sampled(mode, shared, targets)
            if shared.stem_learns:
                shared.stem.backward(shared.features.grad)
            measured.append(shared.losses)
        trainer.update()
        return mean_losses(measured)

    def teach(self, x: Tensor, labels: Tensor) -> Shared:
        """The super-net learns from the labels and from the teacher, the base-net from the super-net: their gradients.

        Where a network is frozen, each learns from its own logits in that one.

        Args:
            x: float32[N,C,H,W] on the network's device, channels last.
            labels: int64[N], or the targets of another task.
        """
        network, base = self.trainer.network, self.base
        with self._autocast():
            stem = network.begin(x)
        # All networks share the stem: it runs once, forward and backward, and its gradients meet here.
        features = stem.detach().requires_grad_()
        with self._autocast():
            logits = network.features(features, self.trainer.super)
        logits = logits.float()
        told = logits.detach() if self.frozen is None else self.frozen.logits(x)
        if self.frozen is None:
            loss = label_loss(logits, labels, self._smoothing)
        else:
            loss = imitation(logits, told, labels, self._temperature)
        losses = Losses(loss.detach())
        if self._taught is not None:
            loss = self._taught(loss, logits, x)
        weight = 1.0 if self.trainer.base is None else 2 * self._alpha
        shared = Shared(stem, features, told, losses)
        part = slice(self._part(len(x)))
        if base is None:
            self.trainer.backward(weight * loss)
            return shared
        if self._mutual:
            # Both are computed before either learns: each has the logits of this step's weights from the other.
            seen = self._logits(base, features[part])
            loss = loss + self._mutual * imitation(logits[part], seen.detach(), labels, self._temperature)
            self.trainer.backward(weight * loss)
        else:
            self.trainer.backward(weight * loss)
            seen = self._logits(base, features[part])
        heard = shared.logits[part] if self.frozen is None else self.frozen.base_logits(x[part])
        base_loss = self._teach_student(seen, heard, labels[part], self._base_labels)
        return replace(shared, losses=replace(losses, base=base_loss))

    def teach_sampled(self, mode: Mode, shared: Shared, labels: Tensor) -> None:
        """A sampled mode learns from the super-net, as the base-net does."""
        part = slice(-self._part(len(labels)), None)
        self._teach_student(self._logits(mode, shared.features[part]), shared.logits[part], labels[part])

    def _part(self, images: int) -> int:
        """How many of a batch's images base-net and sampled mode see."""
        return math.ceil(self._share * images)

    def _autocast(self) -> torch.autocast | nullcontext[None]:
        return mixed_precision(self.trainer.device, self._precision)

    def _logits(self, mode: Mode, features: Tensor) -> Tensor:
        """float32[N,classes] of a mode, behind the stem."""
        with self._autocast():
            logits = self.trainer.network.features(features, mode)
        return logits.float()

    def _teach_student(self, logits: Tensor, heard: Tensor, labels: Tensor, from_labels: float = 0.0) -> Tensor:
        """A mode's logits learn from others, and for a share of the loss from the labels."""
        loss = imitation(logits, heard, labels, self._temperature)
        taught = loss
        if from_labels:
            taught = (1 - from_labels) * loss + from_labels * label_loss(logits, labels)
        total = 2 * (1 - self._alpha) * taught
        if self._base_label_weight:
            total = total + self._base_label_weight * label_loss(logits, labels)
        self.trainer.backward(total)
        return loss.detach()
