# SPDX-License-Identifier: Apache-2.0
"""What a kind of training is: a class with a step is enough."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from dimmer.pipeline.artifacts.checkpoint import load_tensors
from dimmer.pipeline.data.dataset import Dataset
from dimmer.pipeline.training import loop
from dimmer.pipeline.training.batches import Batches
from dimmer.pipeline.training.kinds.kind import Kind
from dimmer.pipeline.training.losses import Losses
from dimmer.pipeline.training.phases import Phase
from dimmer.pipeline.training.settings import TrainingSettings


class Still(Kind):
    """Changes nothing."""

    def step(self, x: Tensor, labels: Tensor, lr: float, rng: np.random.Generator, i: int) -> Losses:
        return Losses(torch.tensor(float(i)))


class Counted(Still):
    """Counts its steps, over interruptions."""

    def __init__(self, phase: Phase) -> None:
        super().__init__(phase)
        self.steps = torch.zeros(1)
        self.calls: list[str] = []

    def prepare(self) -> None:
        self.calls.append("prepare")

    def step(self, x: Tensor, labels: Tensor, lr: float, rng: np.random.Generator, i: int) -> Losses:
        self.steps += 1
        return super().step(x, labels, lr, rng, i)

    def finish(self, images: Batches, dataset: Dataset) -> None:
        self.calls.append(f"finish {len(images)} {len(dataset.val)}")

    def state(self) -> dict[str, Tensor]:
        return {"counted": self.steps}

    def restore(self, tensors: dict[str, Tensor]) -> None:  # type: ignore[override]
        self.steps = tensors["counted"]


def test_a_kind_needs_no_more_than_a_step(
    settings: TrainingSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "plan", lambda *_: (Still(Phase(0, 2, 0.1, 0.0)),))
    checkpoint = loop.train(settings, tmp_path / "out")
    untrained = settings.untrained().state_dict()
    assert all(torch.equal(tensor, untrained[name]) for name, tensor in load_tensors(checkpoint)[0].items())
    history = json.loads((tmp_path / "out" / "history.json").read_text())["history"]
    assert [line["loss_super"] for line in history] == [1.5, 1.5], "the mean of 0, 1, 2 and 3"


def test_kinds_are_prepared_once_restored_after_an_interruption_and_finished_at_the_very_end(
    settings: TrainingSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[Still, Counted]] = []

    def plan(*_: object) -> tuple[Kind, ...]:
        made.append((Still(Phase(0, 1, 0.1, 0.0)), Counted(Phase(1, 3, 0.1, 0.0))))
        return made[-1]

    def interrupt(text: str, share: float) -> None:
        if share > 0.8:
            raise KeyboardInterrupt

    monkeypatch.setattr(loop, "plan", plan)
    with pytest.raises(KeyboardInterrupt):
        loop.train(settings, tmp_path, progress=interrupt)
    loop.train(settings, tmp_path)
    (_, first), (_, second) = made
    assert first.calls == ["prepare"]
    assert second.calls == ["finish 70 20"]
    assert second.steps == 3 * 4
