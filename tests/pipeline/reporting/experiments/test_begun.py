# SPDX-License-Identifier: Apache-2.0
"""The state of a training is taken over where it is that training's and further on."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.training_record import RunId
from dimmer.pipeline.reporting.experiments.begun import LOCK, epochs_of, take_over
from tests.pipeline.reporting.experiments.small import state_of

RUN, OTHER = RunId("tiny", None, "training", "data"), RunId("tiny", None, "another", "data")


def test_epochs(tmp_path: Path) -> None:
    assert epochs_of(tmp_path / "none", RUN) == 0
    state = state_of(tmp_path, RUN, 7)
    assert epochs_of(state, RUN) == 7
    assert epochs_of(state, OTHER) is None


@pytest.mark.parametrize(("known_by", "epochs", "taken"), [(RUN, 2, 3), (RUN, 3, 0), (RUN, 9, 0), (OTHER, 9, 3)])
def test_what_is_further_stays(tmp_path: Path, known_by: RunId, epochs: int, taken: int) -> None:
    there, here = state_of(tmp_path / "there", RUN, 3), state_of(tmp_path / "here", known_by, epochs)
    before = here.read_bytes()
    assert take_over(there, here, RUN) == taken
    assert here.read_bytes() == (there.read_bytes() if taken else before)
    assert take_over(there, tmp_path / "new" / "state.safetensors", RUN) == 3


def test_a_training_that_is_under_way_is_left_alone(tmp_path: Path) -> None:
    there, here = state_of(tmp_path / "there", RUN, 3), state_of(tmp_path / "here", RUN, 1)
    with (here.parent / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert take_over(there, here, RUN) == 0
    assert take_over(there, here, RUN) == 3


def test_a_damaged_state_is_told(tmp_path: Path) -> None:
    state = state_of(tmp_path, RUN, 3)
    state.write_bytes(state.read_bytes()[:-5])
    with pytest.raises(DimmerError, match=r"state\.safetensors is damaged"):
        take_over(state, tmp_path / "here", RUN)
