# SPDX-License-Identifier: Apache-2.0
"""Pages in Debian's headless Chromium, at the width of a phone."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path

import pytest

from dimmer import children

PHONE = 400


def dom_of(url: str, folder: Path) -> str:
    """The page's elements once its scripts have run.

    Args:
        folder: for the browser's own files.
    """
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium (apt-get install chromium)")
    words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=800,3000"]
    words += ["--allow-file-access-from-files", f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=3000"]
    return children.run([chromium, *words, "--dump-dom", url], timeout_s=120).stdout


_LOOK = """<script>
const width = document.documentElement.clientWidth, cut = [], scrolls = [];
for (const one of document.querySelectorAll("details")) { one.open = true; }
for (const one of document.querySelectorAll("body *")) {
  const box = one.getBoundingClientRect();
  if (box.width > 0 && box.right > width + 1 && !one.closest(".scroll")) { cut.push(one.outerHTML.slice(0, 60)); }
}
for (const one of document.querySelectorAll(".scroll")) {
  if (one.scrollWidth > one.clientWidth + 1) { scrolls.push(one.closest("section").querySelector("h2").textContent); }
}
parent.document.body.dataset.found = JSON.stringify([document.documentElement.scrollWidth, cut, scrolls]);
</script>"""


def on_a_phone(page: str, folder: Path) -> tuple[int, list[str], set[str]]:
    """How wide a page is on a phone, what of it is cut off, and the sections whose tables scroll sideways."""
    (folder / "inner.html").write_text(page.replace("</body>", f"{_LOOK}</body>"))
    frame = f'<body><iframe src="inner.html" style="width: {PHONE}px; height: 2000px; border: 0"></iframe></body>'
    (folder / "frame.html").write_text(frame)
    dom = dom_of((folder / "frame.html").as_uri(), folder)
    width, cut, scrolls = json.loads(html.unescape(re.findall(r'data-found="([^"]*)"', dom)[0]))
    return width, cut, set(scrolls)
