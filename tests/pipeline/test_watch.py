# SPDX-License-Identifier: Apache-2.0
"""`dimmer watch`: the emulator live, recorded and replayed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import watch
from tests.pipeline.reporting.live.devices import lines


@pytest.fixture(autouse=True)
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "build"))
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path / "build"


def test_a_recording_is_replayed_line_by_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said, copy = tmp_path / "said.jsonl", tmp_path / "copy.jsonl"
    said.write_text("\n".join(lines(61)))
    watch.main(str(said), record=copy)
    first = capsys.readouterr().out
    assert [line.split("  ")[0] for line in first.splitlines()[:2]] == ["mode 88", "mode 80"]
    assert "predicted end" in first
    assert len(copy.read_text().splitlines()) == 61
    watch.main(str(copy), speed=0.0)
    again = capsys.readouterr().out
    assert again.splitlines()[:2] == first.splitlines()[:2]
    with pytest.raises(DimmerError, match="is what is replayed: give --record another file"):
        watch.main(str(copy), record=copy)


def test_what_is_not_built_is_told(builds: Path) -> None:
    with pytest.raises(
        DimmerError, match="type 'dimmer build --target host --model mnist5k-r14', or name a serial port"
    ):
        watch.main(target="host")
    with pytest.raises(DimmerError, match="type 'dimmer product --target pico --model mnist5k-r14'"):
        watch.main(target="pico")
    report = builds / "mnist5k-r14" / "host" / "report.json"
    report.parent.mkdir(parents=True)
    report.write_text("{}")
    elf = report.parent / "firmware" / "firmware.elf"
    elf.parent.mkdir()
    elf.touch()
    with pytest.raises(DimmerError, match=r"report\.json cannot be read \(KeyError\('energy'\)\): remove it"):
        watch.main(target="host")


def test_latencies_of_the_report_are_those_of_its_modes(builds: Path) -> None:
    report = builds / "report.json"
    assert watch._modelled_ms(report) == {}
    builds.mkdir()
    report.write_text(json.dumps({"energy": {"modes": [{"name": "88", "milliseconds": {"value": 150, "low": 1}}]}}))
    assert watch._modelled_ms(report) == {"88": 150.0}
    report.write_text(json.dumps({"energy": None}))
    assert watch._modelled_ms(report) == {}
