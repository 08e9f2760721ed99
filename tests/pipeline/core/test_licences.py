# SPDX-License-Identifier: Apache-2.0
"""Dimmer's licence and notice are found, or the error says that they are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core import licences
from dimmer.pipeline.core.licences import own_texts


def test_dimmer_s_own_licence_must_be_somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [path.name for path in own_texts()] == ["LICENSE", "NOTICE"]
    monkeypatch.setattr(licences, "ROOT", tmp_path)
    monkeypatch.setattr(licences, "DISTRIBUTION", "no-such-distribution")
    with pytest.raises(DimmerError, match="LICENSE and NOTICE are missing"):
        own_texts()
