# SPDX-License-Identifier: Apache-2.0
"""Training steps on an NVIDIA GPU as recorded graphs of kernels.

The networks here are so small that a GPU waits for Python: a step is a thousand kernels of a few microseconds each.
CUDA graphs launch them in one call. What `AdaptiveStep.take` computes is recorded in three parts, with the gradients
kept in between: teacher, super-net and base-net, once; a sampled mode, once for each mode; the stem's backward pass,
once. The update stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.training.algorithm1 import AdaptiveStep, Shared
from dimmer.pipeline.training.losses import Losses
from dimmer.pipeline.training.trainer import Trainer


@dataclass(frozen=True)
class _Recorded:
    """What all steps of one kind begin and end with.

    Attributes:
        step: what was recorded.
        lesson: the first graph: teacher, super-net and base-net.
        stem: the last: the stem's backward pass; None where the stem learns nothing.
        kept: tensors that the graphs after the first read; they must not be freed.
    """

    step: AdaptiveStep
    lesson: torch.cuda.CUDAGraph
    stem: torch.cuda.CUDAGraph | None
    kept: Shared


class RecordedSteps:
    """Takes the steps of a network on a CUDA device; every batch has the same size.

    Args:
        trainer: whose network and optimizer change.
    """

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._stream = torch.cuda.Stream(trainer.device)
        self._parameters = list(trainer.network.parameters())
        self._gradients = [torch.zeros_like(p) for p in self._parameters]
        self._recorded: _Recorded | None = None
        self._sampled: dict[Mode, torch.cuda.CUDAGraph] = {}
        self._used: dict[Mode, set[Tensor]] = {}
        self._x = self._labels = torch.empty(0)
        self._pool = torch.cuda.graph_pool_handle()

    def take(self, step: AdaptiveStep, x: Tensor, labels: Tensor, lr: float, sampled: Sequence[Mode] = ()) -> Losses:
        """As `AdaptiveStep.take`, of a step with the same trainer; the losses change with the next step."""
        here = torch.cuda.current_stream(self._trainer.device)
        self._stream.wait_stream(here)
        with torch.cuda.stream(self._stream):
            losses = self._take(step, x, labels, lr, sampled)
        here.wait_stream(self._stream)
        return losses

    def _take(self, step: AdaptiveStep, x: Tensor, labels: Tensor, lr: float, sampled: Sequence[Mode]) -> Losses:
        recorded = self._recorded
        if recorded is None or recorded.step is not step:
            # The first step of a kind is not recorded: it sets up the libraries, and then the graphs are recorded.
            losses = step.take(x, labels, lr, sampled)
            self._start(step, x, labels)
            return losses
        self._x.copy_(x)
        self._labels.copy_(labels, non_blocking=True)
        recorded.lesson.replay()
        trainer = self._trainer
        modes = [trainer.super] if step.base is None else [trainer.super, step.base]
        for mode in sampled:
            if mode not in self._sampled:
                self._attach_gradients(None)
                self._sampled[mode] = self._record_sampled(step, mode, recorded.kept)
            self._sampled[mode].replay()
            modes.append(mode)
        if recorded.stem is not None:
            recorded.stem.replay()
        self._attach_gradients(set().union(*map(self._parameters_of, modes)))
        trainer.set_rate(lr)
        trainer.update()
        return recorded.kept.losses

    def _start(self, step: AdaptiveStep, x: Tensor, labels: Tensor) -> None:
        """Record lesson and stem."""
        device = self._trainer.device
        # Graphs of the epochs before are of no more use.
        self._recorded = None
        self._sampled.clear()
        self._pool = torch.cuda.graph_pool_handle()
        self._x = torch.empty_like(x.to(device), memory_format=torch.channels_last).copy_(x)
        self._labels = labels.to(device, copy=True)
        self._attach_gradients(None)
        kept: list[Shared] = []

        def lesson() -> None:
            torch._foreach_zero_(self._gradients)
            kept.append(step.teach(self._x, self._labels))

        first = self._record(lesson)
        (memory,) = kept
        # Retained: sampled modes are recorded later, and must not get the memory that this pass reads.
        last = None
        if memory.stem_learns:
            last = self._record(lambda: memory.stem.backward(memory.features.grad, retain_graph=True))
        self._recorded = _Recorded(step, first, last, memory)

    def _record_sampled(self, step: AdaptiveStep, mode: Mode, kept: Shared) -> torch.cuda.CUDAGraph:
        return self._record(lambda: step.teach_sampled(mode, kept, self._labels))

    def _record(self, work: Callable[[], None]) -> torch.cuda.CUDAGraph:
        # Not torch.cuda.graph, which collects Python's garbage before each of hundreds of recordings.
        graph = torch.cuda.CUDAGraph()
        graph.capture_begin(pool=self._pool)
        try:
            work()
        finally:
            graph.capture_end()
        return graph

    def _attach_gradients(self, used: set[Tensor] | None) -> None:
        """Every parameter's gradient, for recording; or those alone that a step has, as the optimizer wants them."""
        for parameter, gradient in zip(self._parameters, self._gradients, strict=True):
            learns = parameter.requires_grad and (used is None or parameter in used)
            parameter.grad = gradient if learns else None

    def _parameters_of(self, mode: Mode) -> set[Tensor]:
        if mode not in self._used:
            self._used[mode] = self._trainer.network.parameters_in(mode)
        return self._used[mode]
