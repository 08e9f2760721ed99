# SPDX-License-Identifier: Apache-2.0
"""A user id that no system file knows, as in a container, and no HOME: a traceback of pathlib's stood there."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data.sets import cifar10
from dimmer.pipeline.hosted import load
from dimmer.project import cache_folder
from tests.firmware_gen.networks import tiny_resnet

SAID = "this user has no home folder: name a folder that can be written in DIMMER_CACHE"


@pytest.fixture(autouse=True)
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(number: int) -> None:
        raise KeyError(number)

    for name in ("HOME", "DIMMER_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


def test_it_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "lamp.tflite"
    path.write_bytes(tiny_resnet())
    for command in (cache_folder, lambda: load(path), cifar10._official_archive):
        with pytest.raises(DimmerError, match=f"^{SAID}$"):
            command()


def test_a_cache_that_is_named_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
