# SPDX-License-Identifier: Apache-2.0
"""Dimmer's own licence and notice, as files of a checkout or of what pip installed."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.core.extras import DISTRIBUTION

OWN = ("LICENSE", "NOTICE")


def own_texts() -> tuple[Path, ...]:
    """Dimmer's licence and notice, in the checkout or where the package is installed.

    Raises:
        DimmerError: they are nowhere.
    """
    texts = tuple(ROOT / name for name in OWN)
    if not all(path.is_file() for path in texts):
        try:
            files = metadata.files(DISTRIBUTION) or []
        except metadata.PackageNotFoundError:
            files = []
        texts = tuple(Path(str(file.locate())) for name in OWN for file in files if file.name == name)
    if len(texts) != len(OWN) or not all(path.is_file() for path in texts):
        raise DimmerError(f"Dimmer's own {' and '.join(OWN)} are missing: install it again")
    return texts
