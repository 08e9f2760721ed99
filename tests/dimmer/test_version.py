# SPDX-License-Identifier: Apache-2.0
"""The version is the one of pyproject.toml, installed or not."""

from __future__ import annotations

import tomllib

import pytest

from dimmer import version
from dimmer.pipeline.core.closure import ROOT
from dimmer.version import dimmer_version


def test_the_version_is_that_of_the_project() -> None:
    assert dimmer_version() == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_outside_a_checkout_it_is_that_of_the_installed_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version, "CHECKOUT", None)
    monkeypatch.setattr(version, "version", lambda name: f"{name} 7")
    assert dimmer_version() == "dimmer-nn 7"
