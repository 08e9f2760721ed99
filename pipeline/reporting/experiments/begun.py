# SPDX-License-Identifier: Apache-2.0
"""Trainings that were begun on another machine and go on here: their state after an epoch is all that they need."""

from __future__ import annotations

import fcntl
from pathlib import Path

from dimmer.pipeline.artifacts.training_record import RunId
from dimmer.pipeline.core.stage import atomic_write

LOCK = "lock"
"""In the folder of a training: held while it is under way."""


def epochs_of(state: Path, run: RunId) -> int | None:
    """How many epochs a training has behind it; none where there is no file.

    Returns:
        None where the state is another training's.

    Raises:
        DimmerError: the file is damaged.
    """
    from dimmer.pipeline.artifacts.checkpoint import load_tensors

    if not state.is_file():
        return 0
    _, record = load_tensors(state)
    return len(record["history"]) if record.get("run") == run.to_json() and "history" in record else None


def take_over(state: Path, here: Path, run: RunId) -> int:
    """Copies a state of a run's training to where it goes on, unless it is as far there.

    Args:
        state: of this run, made elsewhere.
        here: where the training looks for it; one that is under way is left alone.

    Returns:
        The epochs behind it; 0 where nothing was copied.

    Raises:
        DimmerError: a file is damaged.
    """
    epochs = epochs_of(state, run) or 0
    here.parent.mkdir(parents=True, exist_ok=True)
    with (here.parent / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        if (epochs_of(here, run) or 0) >= epochs:
            return 0
        atomic_write(here, state.read_bytes())
    return epochs
