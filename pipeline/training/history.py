# SPDX-License-Identifier: Apache-2.0
"""The history of a training, a line an epoch."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.modes.width import width_name


@dataclass(frozen=True)
class Epoch:
    """One line of the history.

    Attributes:
        epoch: counted from 1.
        lr: learning rate of the last step.
        loss_super: mean label loss; in an epoch of norms or polish the distillation loss.
        loss_base: mean distillation loss, and ``loss_super`` where the base-net did not learn; None for a network
            trained alone, as ``val_base``.
        val_super: percent of the validation images.
        val_base: percent of the validation images.
        val_narrow: bits -> percent of them that the super-net gets right with all blocks at that width; empty in the
            float training.
        seconds: wall clock.
        device: "cpu", or the GPU's name.
        torch: its version; empty where it was not noted yet.
    """

    epoch: int
    lr: float
    loss_super: float
    loss_base: float | None
    val_super: float
    val_base: float | None
    seconds: float
    val_narrow: Mapping[str, float] = field(default_factory=dict)
    device: str = "cpu"
    torch: str = ""

    def __str__(self) -> str:
        base = "" if self.val_base is None else f", base-net {self.val_base:.2f}"
        narrow = "".join(f", {width_name(int(bits))} bits {value:.2f}" for bits, value in self.val_narrow.items())
        return f"loss {self.loss_super:.3f}, validation super-net {self.val_super:.2f}{base}{narrow} %"


class Clock:
    """Tells how far the training is and how long it still takes.

    Args:
        progress: called with what is being done and the share done, 0..1.
        epochs: of the whole training.
        history: the lines so far, of an interrupted training.
    """

    def __init__(self, progress: Progress, epochs: int, history: Sequence[Epoch]) -> None:
        self._progress = progress
        self._epochs = epochs
        self._first = len(history)
        self._began = time.monotonic()
        self._text = f"epoch {self._first + 1} of {epochs}" + (f" after {history[-1]}" if history else "")

    def step(self, epochs_done: float) -> None:
        """A step is done; `epochs_done` counts the epochs before it and the share of its own."""
        self._progress(self._text, epochs_done / self._epochs)

    def epoch_done(self, line: Epoch) -> None:
        """An epoch is done."""
        each = (time.monotonic() - self._began) / (line.epoch - self._first)
        left = each * (self._epochs - line.epoch) / 60
        self._text = f"epoch {line.epoch} of {self._epochs} done in {line.seconds:.0f} s: {line}; {left:.1f} min left"
        self.step(line.epoch)
