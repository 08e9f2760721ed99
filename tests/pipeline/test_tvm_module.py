# SPDX-License-Identifier: Apache-2.0
"""The command that compiles modes with TVM: what runs here is compared with the interpreter."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import tvm_module
from dimmer.pipeline.core.command import main_of
from dimmer.pipeline.core.stage import StageResult
from dimmer.targets.target import TARGETS

pytest.importorskip("tvm", reason="needs apache-tvm")


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two modes that are there already."""
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    weights = tmp_path / "weights.bin"
    weights.write_bytes(bytes(1234))
    modes = [SimpleNamespace(name=name) for name in ("88", "80")]
    monkeypatch.setattr(tvm_module, "run", lambda *_: StageResult("tvm_module", 0.0, True))
    monkeypatch.setattr(tvm_module, "load_modules", lambda _folder: SimpleNamespace(modes=modes, weights_file=weights))
    monkeypatch.setattr("dimmer.pipeline.artifacts.converted.mode_sources", lambda _folder: ())
    return tmp_path


def test_modes_for_this_machine_are_compared_on_as_many_images_as_asked(
    compiled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes: list[int] = []

    def mismatches(_folder: Path, _modes: object, inputs: bytes) -> dict[str, int]:
        sizes.append(len(inputs))
        return {"88": 0, "80": 0}

    monkeypatch.setattr(tvm_module, "mismatches", mismatches)
    tvm_module.main("mnist5k-r14", "host", 3)
    assert sizes == [3 * 28 * 28]
    said = capsys.readouterr().out
    assert "88  0 mismatches of 3\n80  0 mismatches of 3\n" in said
    assert "weights.bin (1,234 bytes for all modes)" in said


def test_what_was_compared_is_told_and_not_what_was_asked_for(
    compiled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes: list[int] = []

    def mismatches(_folder: Path, _modes: object, inputs: bytes) -> dict[str, int]:
        sizes.append(len(inputs))
        return {"88": 0, "80": 0}

    monkeypatch.setattr(tvm_module, "mismatches", mismatches)
    tvm_module.main("mnist5k-r14", "host", 10**7)
    assert f"88  0 mismatches of {sizes[0] // (28 * 28)}\n" in capsys.readouterr().out
    assert 0 < sizes[0] < 10**7


def test_no_images_are_no_comparison(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["tvm_module", "--images", "0"])
    with pytest.raises(SystemExit) as ended:
        main_of(tvm_module.main)
    assert ended.value.code == 2
    assert "invalid value for '--images'" in capsys.readouterr().err


def test_modes_that_differ_are_an_error(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tvm_module, "mismatches", lambda *_: {"88": 0, "80": 2})
    with pytest.raises(DimmerError, match="mnist5k-r14: the modes differ from the TFLite interpreter; report it"):
        tvm_module.main("mnist5k-r14", "host", 3)


def test_modes_for_another_machine_are_not_run(compiled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tvm_module.main("mnist5k-r14", "jetson", 3)
    assert "88  not run here, for aarch64" in capsys.readouterr().out


def test_a_target_by_its_path_has_the_folder_of_its_name(compiled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tvm_module.main("mnist5k-r14", str(TARGETS / "jetson"), 3)
    assert f"{compiled / 'mnist5k-r14' / 'jetson' / 'tvm_module'}: " in capsys.readouterr().out
