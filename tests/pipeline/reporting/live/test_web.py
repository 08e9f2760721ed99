# SPDX-License-Identifier: Apache-2.0
"""The page, in Debian's headless Chromium, and who may see it."""

from __future__ import annotations

import json
import re
import socket
import struct
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.reporting.live import web
from dimmer.pipeline.reporting.live.watched import State, Watched
from dimmer.pipeline.reporting.live.web import served
from tests.browser import PHONE, dom_of, on_a_phone
from tests.pipeline.reporting.live.devices import lines


def state() -> State:
    found = Watched("<b>a lamp</b>", {"80": 12.345})
    for line in lines(61):
        found.take(0.0, line)
    found.end()
    return found.state()


def get(url: str, host: str | None = None) -> tuple[int, str]:
    request = urllib.request.Request(url, headers={} if host is None else {"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def test_state_and_page_are_for_this_machine_alone() -> None:
    with served(state, 0) as url:
        status, text = get(f"{url}state.json")
        found = json.loads(text)
        assert (status, found["mode"], found["charge_permille"], found["over"]) == (200, "80", 400, True)
        assert get(url) == (200, web.PAGE.read_text())
        assert get(f"{url}../report.html")[0] == 404
        assert get(f"{url}state.json", "elsewhere.example:80")[0] == 403
        port = int(url.rsplit(":", 1)[1].strip("/"))
        taken = rf"port {port} cannot be had \(Address already in use\)"
        with pytest.raises(DimmerError, match=taken), served(state, port):
            pass
    with pytest.raises(urllib.error.URLError):
        get(url)


def test_a_browser_that_goes_away_is_no_fault(capfd: pytest.CaptureFixture[str]) -> None:
    with served(state, 0) as url:
        port = int(url.rsplit(":", 1)[1].strip("/"))
        for _ in range(5):
            with socket.create_connection((web.HERE, port)) as browser:
                browser.sendall(f"GET /state.json HTTP/1.1\r\nHost: {web.HERE}:{port}\r\n".encode())
                # Reset, not closed: what the server reads next fails.
                browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert get(url)[0] == 200
        time.sleep(0.2)
    assert capfd.readouterr().err == ""


def test_the_page_shows_the_state_and_fits_a_phone(tmp_path: Path) -> None:
    with served(state, 0) as url:
        dom = re.sub(r"\s+", " ", dom_of(url, tmp_path))
    for part in (
        '<b id="source">&lt;b&gt;a lamp&lt;/b&gt;</b>', ">over<", '<b id="mode">80</b>', '<b id="charge">40.0 %</b>',
        '<b id="left">66.7 min</b>', "by its trend", '<b id="latency">12.3 ms</b>', '<b id="inferences">61</b>',
        "</span>88</td><td>50</td><td>82.0 %</td>", "<td>80</td><td>9</td>",
    ):  # fmt: skip
        assert part in dom
    assert dom.count("<circle") == 61
    # As it stands there, once more, at a phone's width.
    still = re.sub(r"<script>.*?</script>", "", dom, flags=re.DOTALL)
    assert on_a_phone(still, tmp_path) == (PHONE, [], set())
