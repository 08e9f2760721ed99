# SPDX-License-Identifier: Apache-2.0
"""A target lies apart from builds: what is beside it is part of their keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.targets import TargetError, load_target
from dimmer.targets.target import TARGETS

HOST = (TARGETS / "host" / "target.toml").read_text().replace('"../', '"dimmer:')


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, with a target that lies well."""
    for name in ("DIMMER_PROJECT", "DIMMER_BUILD", "DIMMER_TARGETS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "dimmer.toml").write_text('[project]\nbuild = "out/build"\n')
    (tmp_path / "targets" / "lock").mkdir(parents=True)
    (tmp_path / "targets" / "lock" / "target.toml").write_text(HOST)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_of_its_own_is_well(root: Path) -> None:
    assert load_target("lock").folder == root / "targets" / "lock"


@pytest.mark.parametrize("place", ["", "out", "out/build"])
def test_beside_a_project_or_its_builds_it_is_refused(root: Path, place: str) -> None:
    """Every build changed its own key, and was told that it was edited meanwhile."""
    (root / place).mkdir(parents=True, exist_ok=True)
    (root / place / "target.toml").write_text(HOST)
    with pytest.raises(TargetError, match=r"target\.toml lies in .* beside a project or its builds.*targets/<name>"):
        load_target(f"./{place}")


def test_so_is_a_source(root: Path) -> None:
    (root / "uart.c").touch()
    text = HOST.replace("sources = [", 'sources = ["../../uart.c", ', 1)
    assert text != HOST
    (root / "targets" / "lock" / "target.toml").write_text(text)
    with pytest.raises(TargetError, match=r"uart\.c lies in .* beside a project"):
        load_target("lock")
