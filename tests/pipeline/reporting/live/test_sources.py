# SPDX-License-Identifier: Apache-2.0
"""Where lines come from: ports, pipes, emulators, recordings."""

from __future__ import annotations

import io
import os
import pty
import tty
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.reporting.live.sources import Heard, curve, emulated, heard, recorded, replayed, source_of
from dimmer.targets import TargetError, load_target
from tests.pipeline.reporting.live.devices import lines


def test_a_recording_replays_at_its_own_pace(tmp_path: Path) -> None:
    path, clock = tmp_path / "day.jsonl", iter([5.0, 5.5, 7.0])
    kept = list(recorded(heard(iter(line + "\n" for line in lines(3)), lambda: next(clock)), path))
    assert [one.at_s for one in kept] == [0.0, 0.5, 2.0]
    assert [one.line for one in kept] == lines(3)
    pauses: list[float] = []
    with path.open() as file:
        assert list(replayed(path, file, 2.0, pauses.append)) == kept
    assert pauses == [0.25, 0.75]
    pauses.clear()
    with path.open() as file:
        list(replayed(path, file, 1e-300, pauses.append))
    assert pauses == [1e6, 1e6]
    with source_of(str(path), 0.0) as again:
        assert list(again) == kept


def test_what_a_device_said_is_read_without_times(tmp_path: Path) -> None:
    path = tmp_path / "said.jsonl"
    path.write_text("\n".join(lines(2)))
    with source_of(str(path)) as found:
        assert list(found) == [Heard(0.0, line) for line in lines(2)]


def test_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines(2))))
    with source_of("-") as found:
        assert [one.line for one in found] == lines(2)


def test_bytes_of_a_pipe_that_are_no_text_end_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    said = b"\xff\x80 noise\n" + "\n".join(lines(2)).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(said), encoding="utf-8"))
    with source_of("-") as found:
        noise, *others = (one.line for one in found)
    assert noise.endswith(" noise")
    assert others == lines(2)


def test_a_serial_line_until_it_is_gone() -> None:
    own, other = pty.openpty()
    tty.setraw(own)
    tty.setraw(other)
    with source_of(os.ttyname(other)) as found:
        os.write(own, "".join(f"{line}\r\n" for line in lines(3)).encode())
        assert [next(found).line for _ in range(3)] == lines(3)
        os.close(own)
        assert list(found) == []
    os.close(other)


def test_places_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"no cannot be read \(No such file"), source_of(str(tmp_path / "no")):
        pass
    with pytest.raises(DimmerError, match=r"cannot be read \(Is a directory"), source_of(str(tmp_path)):
        pass
    with (
        pytest.raises(DimmerError, match="/dev/null is no serial port: name the board's as the first argument"),
        source_of("/dev/null"),
    ):
        pass
    broken = io.StringIO('{"at_s": 0, "line": "x"}\n{"at_s": "soon", "line": "x"}\n')
    with pytest.raises(DimmerError, match=r"day\.jsonl, line 2: at_s is 'soon', not a number: take a file that"):
        list(replayed(Path("day.jsonl"), broken, 0.0))
    with pytest.raises(DimmerError, match=r"cannot be written \(Not a directory\): name another file with --record"):
        list(recorded(iter([Heard(0.0, "x")]), Path("/dev/null/day.jsonl")))


def test_a_recording_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "day.jsonl").write_text("of yesterday")
    with pytest.raises(DimmerError, match=r"day.jsonl cannot be written \(File exists\): name another file with --rec"):
        list(recorded(iter([Heard(0.0, "x")]), tmp_path / "day.jsonl"))
    assert (tmp_path / "day.jsonl").read_text() == "of yesterday"


@pytest.mark.parametrize("at_s", ["1e300", "NaN", "-1", "1" + "0" * 400])
def test_times_that_no_clock_can_wait_for(at_s: str) -> None:
    broken = io.StringIO(f'{{"at_s": 0, "line": "x"}}\n{{"at_s": {at_s}, "line": "x"}}\n')
    with pytest.raises(DimmerError, match=r"day\.jsonl, line 2: at_s is .*, not 0 to 1000000000 seconds: take a file"):
        list(replayed(Path("day.jsonl"), broken, 1.0))


def test_a_replay_that_is_slowed_beyond_any_clock_waits() -> None:
    pauses: list[float] = []
    lines = io.StringIO('{"at_s": 0, "line": "x"}\n{"at_s": 1, "line": "x"}\n')
    assert len(list(replayed(Path("day.jsonl"), lines, 1e-300, pauses.append))) == 2
    assert pauses == [1e6]


def test_a_battery_that_empties_in_a_day() -> None:
    rows = [tuple(map(int, row.split(","))) for row in curve().splitlines()]
    assert rows[0] == (0, 1000, 4200, 0)
    assert rows[-1] == (86_400, 0, 3000, 0)
    assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse=True)


FIRMWARE = """
import sys
assert sys.argv[1:2] == ["battery"], sys.argv
for row in list(open(sys.argv[2]))[:3]:
    print('{"event":"battery","time_s":%s,"charge_permille":%s}' % tuple(row.split(",")[:2]), flush=True)
sys.stdin.read()
import time
time.sleep(60 * len(sys.argv[3:]))
"""


def test_an_emulator_is_heard_as_it_speaks_and_ended_with_the_block(tmp_path: Path) -> None:
    host = load_target("host")
    (tmp_path / "app.py").write_text(FIRMWARE)
    runner = replace(host.runner, command=("python3", "{elf}", "{arguments}", "for ever"))
    with emulated(replace(host, runner=runner), tmp_path / "app.py") as found:
        said = [next(found).line for _ in range(3)]
    assert said[0] == '{"event":"battery","time_s":0,"charge_permille":1000}'
    runner = replace(runner, command=runner.command[:3])
    with emulated(replace(host, runner=runner), tmp_path / "app.py") as found:
        assert [one.line for one in found] == said


def test_a_runner_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "app.py").touch()
    host = load_target("host")
    lost = replace(host, runner=replace(host.runner, command=("dimmer-lost", "{elf}")))
    with pytest.raises(TargetError, match="dimmer-lost cannot be run"), emulated(lost, tmp_path / "app.py"):
        pass


def test_a_firmware_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="compile it first"), emulated(load_target("host"), tmp_path / "no.elf"):
        pass


def test_a_recording_that_ends_within_a_line_is_shown_up_to_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "day.jsonl"
    kept = list(recorded(heard(iter(line + "\n" for line in lines(3))), path))
    whole = path.read_text()
    path.write_text(whole[:-20])
    with source_of(str(path), 0.0) as found:
        assert list(found) == kept[:-1]
    assert capsys.readouterr().err == f"{path} ends within line 3, which is left out\n"
    path.write_text(whole[:-20] + "\n")
    with source_of(str(path), 0.0) as found, pytest.raises(DimmerError, match=r"line 3: .* take a file that --record"):
        list(found)
