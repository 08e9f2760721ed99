# SPDX-License-Identifier: Apache-2.0
"""Dimmer's version."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, version

from dimmer.project import CHECKOUT


def dimmer_version() -> str:
    """As in pyproject.toml, in a checkout from there: an editable install may be older than the file."""
    if CHECKOUT is not None:
        text: str = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
        return text
    try:
        return version("dimmer-nn")
    except PackageNotFoundError:
        return "0"
