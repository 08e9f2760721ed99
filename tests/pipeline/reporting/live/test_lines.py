# SPDX-License-Identifier: Apache-2.0
"""What devices say of an inference, as they say it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dimmer.pipeline.reporting.live import lines
from dimmer.pipeline.reporting.live.lines import Seen, Told, read_line

LINUX_BOARD = Path(__file__).resolve().parents[4] / "targets" / "linux"
LINUX = (
    '{"event":"result","file":"-","frame":0,"class":3,"score":57,"mode":"80","latency_us":812.4,"charge_permille":null}'
)


def test_lines_of_every_kind_of_device() -> None:
    board = '{"event":"inference","time_s":20,"millivolts":3900,"charge_permille":750,"mode":"88","class":3,"life_s":9}'
    assert read_line(board) == Seen("88", 20, 750, 3900, None, 3, None, 9)
    left_out = '{"event":"inference","time_s":30,"millivolts":3000,"charge_permille":0,"mode":null}'
    assert read_line(left_out) == Seen(None, 30, 0, 3000)
    emulator = '{"event":"battery","time_s":0,"charge_permille":1000,"mode":"80","class":7,"instructions":123}'
    assert read_line(emulator) == Seen("80", 0, 1000, predicted=7)
    assert read_line(LINUX) == Seen("80", latency_us=812.4, predicted=3, score=57)
    assert read_line('{"event":"error","message":"no model"}') == Told("no model")
    skipped = read_line('{"event":"skipped","file":"-","bytes":3300}')
    assert skipped == Told("3,300 bytes that were no frame were skipped")
    assert read_line('{"event":"selftest","mode":"88","ok":true}') is None


def entry(message: str, **fields: str) -> str:
    return json.dumps({"__REALTIME_TIMESTAMP": "1790000000000000", "PRIORITY": "6", "MESSAGE": message, **fields})


def test_entries_of_a_journal() -> None:
    fields = re.findall(r"(DIMMER_[A-Z_]+)=%", (LINUX_BOARD / "dimmer_run.c").read_text())
    assert set(fields) == {*lines._JOURNAL, "DIMMER_MODE", "DIMMER_FRAME", "DIMMER_SKIPPED"}
    told = {"DIMMER_FRAME": "7", "DIMMER_CLASS": "3", "DIMMER_SCORE": "-57", "DIMMER_LATENCY_US": "812.4"}
    known = entry("class 3 in mode 80", **told, DIMMER_MODE="80", DIMMER_CHARGE_PERMILLE="750")
    written = 1_790_000_000.0
    assert read_line(known) == Seen("80", None, 750, None, 812.4, 3, -57, written_s=written)
    unknown = entry("class 3 in mode 80", **told, DIMMER_MODE="80", DIMMER_CHARGE_PERMILLE="null")
    assert read_line(unknown) == Seen("80", latency_us=812.4, predicted=3, score=-57, written_s=written)
    assert read_line(entry("3300 bytes are no whole frame", DIMMER_SKIPPED="3300")) == Told(
        "3300 bytes are no whole frame"
    )
    assert read_line(entry("Failed with result 'exit-code'.", PRIORITY="3")) == Told("Failed with result 'exit-code'.")
    assert read_line(entry("Started dimmer.service.")) is None
    assert read_line(entry(LINUX)) == Seen("80", latency_us=812.4, predicted=3, score=57, written_s=written)
    assert read_line(entry(LINUX, __REALTIME_TIMESTAMP="soon")) == read_line(LINUX)
    with pytest.raises(ValueError, match="Expecting value"):
        read_line(entry("class 3 in mode 80", DIMMER_MODE="80", DIMMER_CLASS="three"))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"event":"infer', "Unterminated"),
        ("[" * 100_000, "nested too deeply"),
        ("[1]", "it is no event of a device"),
        ('{"event":3}', "it is no event of a device"),
        ('{"event":"battery"}', "mode is missing"),
        ('{"event":"battery","mode":88}', "mode is 88, not a text"),
        ('{"event":"battery","mode":"88","charge_permille":1001}', "charge_permille is 1001, not 0 to 1000"),
        ('{"event":"battery","mode":"88","time_s":NaN}', "time_s is nan"),
        ('{"event":"result","mode":"88","written_s":NaN}', "written_s is nan"),
        ('{"event":"result","mode":"88","latency_us":-1}', "latency_us is -1"),
        (f'{{"event":"battery","mode":"88","millivolts":1{"0" * 400}}}', "millivolts is 1000"),
        (f'{{"event":"battery","mode":"88","class":-1{"0" * 400}}}', "predicted is -1000"),
        (f'{{"event":"battery","mode":"88","score":1{"0" * 400}}}', "score is 1000"),
        (f'{{"event":"battery","mode":"88","time_s":1{"0" * 400}}}', "time_s is 1000"),
    ],
)
def test_what_is_no_line_of_a_device(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_line(line)


def test_texts_of_a_device_move_no_cursor_and_are_short() -> None:
    said = "\x1b[2J\x1b]0;mine\x07a\r\nb\u202ec\x9b1m" + "x" * 1000
    shown = "?[2J?]0;mine?a??b?c?1m"
    for line in ({"event": "error", "message": said}, {"event": "battery", "mode": said}):
        found = read_line(json.dumps(line))
        assert found is not None
        text = found.message if isinstance(found, Told) else found.mode
        assert text == (shown + "x" * 1000)[:200]
    many = read_line('{"event":"skipped","bytes":1' + "0" * 4000 + "}")
    assert isinstance(many, Told)
    assert len(many.message) == 200
