"""Tests that need what a machine may not have are skipped there, and say why."""

from pathlib import Path

import pytest

from pipeline.system import missing_tools, named_tools
from tests.tiny import tiny, tiny_converted

__all__ = ["tiny", "tiny_converted"]

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
BOARD_TOOLS = ("arm-none-eabi-gcc", "qemu-system-arm")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reasons: dict[str, str] = {}
    if not (SHARED / "data").is_dir():
        reasons["shared"] = "needs ../shared with its data sets and models"
    missing = missing_tools(named_tools(BOARD_TOOLS))
    if missing:
        packages = " ".join(sorted(set(missing.values())))
        reasons["board"] = f"needs sudo apt-get install --no-install-recommends {packages}"
    for item in items:
        for marker, reason in reasons.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))
