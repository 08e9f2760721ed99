# SPDX-License-Identifier: Apache-2.0
"""What these tests compile is kept for the run alone."""

from __future__ import annotations

import pytest

from tests.tiny import of_the_run


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIMMER_CACHE", str(of_the_run(tmp_path_factory, "cache")))
