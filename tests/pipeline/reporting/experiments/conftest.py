# SPDX-License-Identifier: Apache-2.0
"""Toy images in place of a data set, in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dimmer.pipeline.data import registry
from dimmer.pipeline.reporting.experiments.table import Table
from dimmer.pipeline.training import loop
from tests.pipeline.reporting.experiments.small import table_in
from tests.pipeline.training.small import bright_or_dark


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Table:
    """Two arms with two seeds, on images that are bright or dark."""
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "build"))
    for module in (registry, loop):
        monkeypatch.setattr(module, "load_dataset", lambda name: bright_or_dark())
    monkeypatch.setattr(registry, "dataset_hash", lambda name: f"hash of {name}")
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)
    return table_in(tmp_path)
