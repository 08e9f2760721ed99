# SPDX-License-Identifier: Apache-2.0
"""The page, in Debian's headless Chromium, and who may see it."""

from __future__ import annotations

import json
import re
import shutil
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.pipeline.reporting.live import web
from dimmer.pipeline.reporting.live.watched import State, Watched
from dimmer.pipeline.reporting.live.web import served
from tests.pipeline.reporting.live.devices import lines

MEASURED = """<script>
const page = document.documentElement;
new MutationObserver(() => { page.dataset.width = page.scrollWidth + " of " + innerWidth; })
  .observe(document.getElementById("modes"), { childList: true });
</script>"""


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


def test_the_page_shows_the_state_and_fits_a_phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium (apt-get install chromium)")
    page = tmp_path / "watch.html"
    page.write_text(web.PAGE.read_text().replace("</main>", f"</main>{MEASURED}"))
    monkeypatch.setattr(web, "PAGE", page)
    with served(state, 0) as url:
        words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=500,900"]
        words += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=3000", "--dump-dom", url]
        done = children.run([chromium, *words], timeout_s=120)
    dom = re.sub(r"\s+", " ", done.stdout)
    for part in (
        '<b id="source">&lt;b&gt;a lamp&lt;/b&gt;</b>', ">over<", '<b id="mode">80</b>', '<b id="charge">40.0 %</b>',
        '<b id="left">66.7 min</b>', "by its trend", '<b id="latency">12.3 ms</b>', '<b id="inferences">61</b>',
        "</span>88</td><td>50</td><td>82.0 %</td>", "<td>80</td><td>9</td>",
    ):  # fmt: skip
        assert part in dom
    assert dom.count("<circle") == 61
    width, window = map(int, re.findall(r'data-width="(\d+) of (\d+)"', dom)[0])
    assert width <= window <= 500
