# SPDX-License-Identifier: Apache-2.0
"""A wheel that is fetched is opened only where its sha256 is the known one."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.pipeline.tvm.cuda import NVRTC, NVRTC_VERSION
from dimmer.pipeline.tvm.wheels import SHA256, check, fetch
from tests.pins import pins

NAME = "lamp-1.0-py3-none-any.whl"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What pip fetches; nothing where the list is empty."""
    contents: list[bytes] = []

    def run(command: Sequence[str], **_options: object) -> object:
        folder = Path(command[command.index("--dest") + 1])
        for content in contents:
            (folder / NAME).write_bytes(content)
        return SimpleNamespace(returncode=not contents, stderr="ERROR: no matching distribution\n")

    monkeypatch.setattr(children, "run", run)
    return contents


def test_the_known_wheel_is_taken(sent: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHA256, NAME, hashlib.sha256(b"wheel").hexdigest())
    sent.append(b"wheel")
    assert fetch("lamp", "1.0", tmp_path) == tmp_path / NAME


def test_another_content_is_refused(sent: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHA256, NAME, hashlib.sha256(b"wheel").hexdigest())
    sent.append(b"whe3l")
    with pytest.raises(DimmerError, match=rf"{NAME} is not the wheel that is known \(sha256 .*pip config list"):
        fetch("lamp", "1.0", tmp_path)


def test_a_wheel_that_nobody_knows_is_refused(sent: list[bytes], tmp_path: Path) -> None:
    sent.append(b"wheel")
    with pytest.raises(DimmerError, match=rf"no sha256 is known of {NAME}: install the versions"):
        fetch("lamp", "1.0", tmp_path)


def test_without_pip_it_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = SimpleNamespace(returncode=1, stderr=f"{sys.executable}: No module named pip\n")
    monkeypatch.setattr(children, "run", lambda *_, **__: said)
    with pytest.raises(
        DimmerError, match=r"wheel of lamp 1\.0 cannot be had, since this Python has no pip: .* ensurepip"
    ):
        fetch("lamp", "1.0", tmp_path)


def test_no_wheel_is_one_line(sent: list[bytes], tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"wheel of lamp 1\.0 cannot be had \(ERROR: no matching"):
        fetch("lamp", "1.0", tmp_path)


def test_one_wrong_bit_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(range(256))
    monkeypatch.setitem(SHA256, NAME, hashlib.sha256(content).hexdigest())
    (tmp_path / NAME).write_bytes(content)
    check(tmp_path / NAME)
    content[100] ^= 1
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(DimmerError, match="is not the wheel"):
        check(tmp_path / NAME)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_pinned_versions_are_known(machine: str) -> None:
    wanted = {name: version for name, version in pins().items() if name in ("apache-tvm", "apache-tvm-ffi")}
    wanted[NVRTC] = NVRTC_VERSION
    assert len(wanted) == 3
    for package, version in wanted.items():
        start = f"{package.replace('-', '_')}-{version}-"
        tags = {re.sub(r"-.*", "", name.removeprefix(start)) for name in SHA256 if name.startswith(start)}
        assert tags in ({"py3"}, {"cp311", "cp312", "cp313"})
        assert any(name.startswith(start) and name.endswith(f"{machine}.whl") for name in SHA256)
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in SHA256.values())
