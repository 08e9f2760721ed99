# SPDX-License-Identifier: Apache-2.0
"""Pages in Debian's headless Chromium, at the width of a phone."""

from __future__ import annotations

import html
import json
import re
import shutil
import zlib
from pathlib import Path

import pytest

from dimmer import children

PHONE = 400


def dom_of(url: str, folder: Path) -> str:
    """The page's elements once its scripts have run.

    Args:
        folder: for the browser's own files.
    """
    return _chromium(folder, "--virtual-time-budget=3000", "--dump-dom", url)


def _chromium(folder: Path, *words: str) -> str:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium (apt-get install chromium)")
    always = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=800,3000"]
    always += ["--allow-file-access-from-files", f"--user-data-dir={folder / 'profile'}"]
    return children.run([chromium, *always, *words], timeout_s=120).stdout


def printed(url: str, folder: Path) -> list[int]:
    """How many pieces of text each page holds when the page is printed."""
    path = folder / "printed.pdf"
    _chromium(folder, "--no-pdf-header-footer", f"--print-to-pdf={path}", url)
    found = re.findall(rb"(\d+) 0 obj(.*?)endobj", path.read_bytes(), re.DOTALL)
    objects = {int(number): content for number, content in found}
    counts = []
    for content in objects.values():
        if re.search(rb"/Type\s*/Page\b", content):
            stream = objects[int(re.findall(rb"/Contents\s+(\d+) 0 R", content)[0])]
            head, text = re.split(rb"stream\r?\n", stream, maxsplit=1)
            if b"/FlateDecode" in head:
                text = zlib.decompressobj().decompress(text)
            counts.append(len(re.findall(rb"T[jJ]\b", text)))
    return counts


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
