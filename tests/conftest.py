"""Tests that need what a machine may not have are skipped there, and say why."""

import os
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from dimmer.pipeline.core.debian import missing_tools
from dimmer.targets import load_target
from tests.tiny import builds, tiny, tiny_converted, tiny_narrow

__all__ = ["builds", "tiny", "tiny_converted", "tiny_narrow"]

# The same examples every time where a failure must repeat; others on every run elsewhere.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("shared") and not (SHARED / "data").is_dir():
            item.add_marker(pytest.mark.skip(reason="needs ../shared with its data sets and models"))
        for marker in item.iter_markers("board"):
            if packages := _missing_packages(*marker.args):
                reason = f"needs sudo apt-get install --no-install-recommends {packages}"
                item.add_marker(pytest.mark.skip(reason=reason))


@cache
def _missing_packages(board: str = "mps2-an386") -> str:
    return " ".join(sorted(set(missing_tools(load_target(board).tools).values())))
