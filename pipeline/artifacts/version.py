"""The generator's version."""

from __future__ import annotations

import tomllib

from dimmer.pipeline.core.stage import ROOT


def generator_version() -> str:
    """The version in pyproject.toml."""
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return version
