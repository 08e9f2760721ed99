# SPDX-License-Identifier: Apache-2.0
"""What can be flashed, and how the command says that something cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import flash


def test_an_emulated_target_has_nothing_to_flash(capsys: pytest.CaptureFixture[str]) -> None:
    flash.main("mps2-an386", "mnist5k-r14", None, None, None)
    said = capsys.readouterr().out
    assert said.startswith("mps2-an386 runs on qemu-system-arm: there is nothing to flash. ")
    assert "./nox -s build-target -- mps2-an386 --model mnist5k-r14" in said


def test_a_simulated_core_has_nothing_to_flash(capsys: pytest.CaptureFixture[str]) -> None:
    flash.main("ibex-small", "mnist5k-r14", None, None, None)
    assert capsys.readouterr().out.startswith(
        "ibex-small runs on a simulation of its core: there is nothing to flash. "
    )


def test_a_linux_board_needs_a_host_and_no_other_target_takes_one() -> None:
    with pytest.raises(DimmerError, match="jetson is reached over ssh: name the board with --host user@address"):
        flash.main("jetson", "mnist5k-r14", None, None, None)
    with pytest.raises(DimmerError, match="host is not reached over ssh: leave --host away"):
        flash.main("host", "mnist5k-r14", "a@b", None, None)


def test_the_bundle_of_the_model_is_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    with pytest.raises(DimmerError, match=r"is no bundle .*build it with \./nox -s build-target"):
        flash.main("jetson", "mnist5k-r14", "a@b", None, ["Port=1"])
    calls: list[tuple[Any, ...]] = []

    def install(*arguments: Any) -> str:
        calls.append(arguments)
        return "installed"

    monkeypatch.setattr("dimmer.targets.runners.ssh.install", install)
    flash.main("jetson", "mnist5k-r14", "a@b", "/opt/here", ["Port=2222"])
    ((remote, bundle, prefix, _),) = calls
    assert (remote.host, remote.options) == ("a@b", ("Port=2222",))
    assert bundle == tmp_path / "mnist5k-r14" / "jetson" / "bundle" / "mnist5k-r14"
    assert prefix == "/opt/here"
    assert capsys.readouterr().out == "installed\n"
