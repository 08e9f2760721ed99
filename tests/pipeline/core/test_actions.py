# SPDX-License-Identifier: Apache-2.0
"""What an action needs is read from its source: imports, names of its file, functions beside it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from dimmer.pipeline.core.actions import modules_of, source_of

SOURCE = """
from typing import TYPE_CHECKING

import numpy as np

from dimmer.pipeline.core import command, progress
from dimmer.pipeline.core.stage import Stage
from dimmer.pipeline.modes.mode import FULL_BITS

if TYPE_CHECKING:
    from dimmer.pipeline.core import debian


SHARE = 2
UNUSED = 3


class Kind:
    pass


def helper():
    return progress.Progress, SHARE, Kind


def other():
    return command


def stage():
    from dimmer.pipeline.data import dataset

    def nested():
        from dimmer.pipeline.oracle import splice

        return splice

    def action(out):
        import torch

        helper()
        nested()
        return dataset, FULL_BITS, np.zeros(1)

    return action


lamp = lambda out: out
"""


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    path = tmp_path / "described.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("described", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_what_an_action_uses_is_found_and_nothing_else(module: ModuleType) -> None:
    assert set(modules_of(module.stage())) == {
        "torch",
        "numpy",
        "dimmer.pipeline.core.progress",
        "dimmer.pipeline.data.dataset",
        "dimmer.pipeline.modes.mode",
        # `from a import b` within a function counts a, too.
        "dimmer.pipeline.oracle",
        "dimmer.pipeline.oracle.splice",
    }


def test_the_source_of_an_action_has_its_helpers_and_constants(module: ModuleType) -> None:
    """An edit of them alone made nothing anew."""
    source = source_of(module.stage())
    for part in (
        "SHARE = 2",
        "class Kind:",
        "def helper():",
        "    def nested():",
        "    def action(out):",
        "np.zeros(1)",
    ):
        assert part in source
    for part in ("UNUSED", "def other", "def stage", "lamp ="):
        assert part not in source


def test_a_lambda_is_refused(module: ModuleType) -> None:
    with pytest.raises(ValueError, match="written with def"):
        modules_of(module.lamp)
