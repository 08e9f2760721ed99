# SPDX-License-Identifier: Apache-2.0
"""The doctor names what is missing and what to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.pipeline import doctor


def test_what_is_missing_comes_with_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "build"))
    monkeypatch.setattr(doctor, "missing_distributions", lambda extra: ["apache-tvm"] if extra == "tvm" else [])
    monkeypatch.setattr(doctor, "missing_tools", lambda _tools: {"a-compiler": "a-package"})
    monkeypatch.setattr("shutil.which", lambda _name: None)
    doctor.main()
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "missing: apache-tvm" in shown
    assert "missing: a-package" in shown
    assert "sudo apt-get install" in shown
    assert "without it no cycles are modelled" in shown


def test_a_folder_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    doctor.main()
    assert "cannot be written" in " ".join(capsys.readouterr().out.replace("│", " ").split())


def test_a_simulated_core_names_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    monkeypatch.setattr(doctor, "missing_packages", list)
    monkeypatch.setattr(
        doctor, "missing_tools", lambda tools: {"verilator": "verilator"} if "verilator" in tools else {}
    )
    doctor.main()
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "missing: verilator, pythondata-cpu-ibex" in shown
    assert "apt-get install --no-install-recommends verilator; pip install 'dimmer-nn[rtl]'" in shown
