# SPDX-License-Identifier: Apache-2.0
"""Tables of trainings of a second: a toy network, toy images, and records without any training."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from dimmer.pipeline.artifacts.training_record import STATE, RunId
from dimmer.pipeline.reporting.experiments.record import NetRecord, RunRecord, packed
from dimmer.pipeline.reporting.experiments.runs import Run
from dimmer.pipeline.reporting.experiments.table import Table, load_table
from tests.pipeline.training.small import RECIPE

TABLE = """\
[depth]
about = "which loss"
seeds = [1, 2]
compare = ["labels.base - alone-base.super", "labels.80.88 - labels.base"]
changes = { "train.epochs" = 2 }

[depth.arms.labels]
about = "half labels"
changes = { "train.base_labels" = 0.5 }

[depth.arms.alone-base]
alone = "base"
"""

WIDTHS = (
    TABLE.replace('changes = { "train.epochs" = 2 }', 'changes = { "train.epochs" = 1 }')
    + """
[depth.arms.widths]
about = "narrow widths behind it"
after = "labels"
changes = { "train.base_labels" = 0.5, "model.bits" = [8, 4], "qat.epochs" = 1, "qat.frozen" = true }
"""
)
"""The same with an arm that adds widths to another's network."""

RIGHT = {"super": 90, "base": 80, "80.88": 70}
"""Network -> how many of 100 test images a made-up adaptive run has right, with seed 1; one more a seed."""


def table_in(folder: Path, text: str = TABLE) -> Table:
    """The table of the model "tiny" in a folder."""
    home = folder / "tiny"
    home.mkdir(exist_ok=True)
    (home / "recipe.toml").write_text(RECIPE)
    (home / "experiments.toml").write_text(text)
    return load_table(home, None)


def state_of(folder: Path, known_by: RunId, epochs: int) -> Path:
    """What a training that never was leaves after so many epochs."""
    import torch

    from dimmer.pipeline.artifacts.checkpoint import save_tensors

    record = {"run": known_by.to_json(), "history": [{"epoch": epoch} for epoch in range(epochs)]}
    folder.mkdir(parents=True, exist_ok=True)
    save_tensors(folder / STATE, {"network.weight": torch.ones(3)}, record)
    return folder / STATE


def made_up(run: Run, *, known_by: RunId | None = None, images: int = 100) -> RunRecord:
    """A record of a run that never was; networks have the first images right, alone ones all but the first."""
    alone = run.arm.alone is not None

    def net(name: str, count: int) -> NetRecord:
        right = np.arange(images) < count
        if alone:
            right = right[::-1]
        percent = 100 * float(right.mean())
        return NetRecord(name, 1000, percent, percent, False, percent, packed(right))

    nets = {name: net(name, count + run.seed - 1) for name, count in RIGHT.items()}
    if alone:
        nets = {"super": net("88.88", 79)}
    return RunRecord(
        run.arm.name, run.seed, known_by or run.known_by, nets, images, 1234, 60.0, "cpu", {"torch": "2.0"}
    )


def other_training(run: Run) -> RunId:
    """What another training would be known by."""
    return dataclasses.replace(run.known_by, training="0" * 64)
