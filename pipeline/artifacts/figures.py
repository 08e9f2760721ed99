"""Reading a stage's figures."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.core.stage import ROOT


def generator_version() -> str:
    """The version in pyproject.toml."""
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return version


def read_figures(path: Path) -> Any:
    """A stage's file.

    Raises:
        DimmerError: it is missing or damaged.
    """
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise DimmerError(f"{path} cannot be read ({error}): remove {path.parent} and build again") from error
