# SPDX-License-Identifier: Apache-2.0
"""The site: pages of the whole repository, with links that hold where they stand."""

from __future__ import annotations

import doctest
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs", reason="needs mkdocs-material and mkdocstrings, see requirements.txt")
pytest.importorskip("mkdocstrings", reason="needs mkdocs-material and mkdocstrings, see requirements.txt")

from tests.test_house import defines_something, modules
from tools import docs_site
from tools.docs_site import FOLDERS, PAGES, ROOT, moved, packages, site_path


@pytest.mark.parametrize(
    ("link", "turned"),
    [
        ("[bits](bits.md)", "[bits](bits.md)"),
        ("[S](../SECURITY.md#c)", "[S](security.md#c)"),
        ("[README](../README.md)", "[README](index.md)"),
        ("[web](https://example.org)", "[web](https://example.org)"),
        ("![plot](pareto.svg)", "![plot](pareto.svg)"),
        ("[here](#there)", "[here](#there)"),
        ("[the library](../firmware_gen/library.py)", "the library (`firmware_gen/library.py`)"),
        ("[`library.py`](../firmware_gen/library.py)", "`library.py`"),
    ],
)
def test_links_of_docs(link: str, turned: str) -> None:
    assert moved(f"a {link}, b", "docs/architecture.md") == f"a {turned}, b"


def test_links_between_pages_that_moved() -> None:
    assert moved("[a](../README.md)", "examples/cpp_host/README.md") == "[a](index.md)"
    assert moved("[a](../../docs/gates.md)", "firmware_gen/runtime/README.md") == "[a](../gates.md)"
    assert moved("[a](../../examples/README.md)", "docs/tutorials/battery.md") == "[a](../examples/index.md)"


def test_every_page_has_its_own_place() -> None:
    assert all((ROOT / source).is_file() for source in PAGES)
    assert len({site_path(source) for source in PAGES}) == len(PAGES)
    written = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert not written & set(PAGES.values())


def test_the_reference_has_every_module_that_defines_something() -> None:
    shown = {module for found in packages().values() for module in found}
    wanted = {
        name
        for name, path in modules().items()
        if defines_something(path)
        and path.relative_to(ROOT).parts[0] in FOLDERS
        and "._" not in name
        # It only gives names of the packages below it.
        and name != "dimmer"
        and (path.parent / "__init__.py").is_file()
    }
    assert wanted <= shown


def test_its_examples() -> None:
    assert doctest.testmod(docs_site).failed == 0


def build(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config), "-d", str(site)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_page_that_the_navigation_lacks_is_an_error(tmp_path: Path) -> None:
    """As any warning is; without the reference, which takes seconds."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / "docs" / "lost.md").write_text("# Lost\n")
    text = (ROOT / "mkdocs.yml").read_text()
    lines = [line for line in text.split("markdown_extensions:")[0].splitlines() if "docs_site.py" not in line]
    plain = "\n".join(lines).split("plugins:")[0].replace("hooks:\n", "")
    nav = "validation:\n  omitted_files: warn\nnav:\n" + "".join(
        f"  - {path.relative_to(tmp_path / 'docs').as_posix()}\n"
        for path in sorted((tmp_path / "docs").rglob("*.md"))
        if path.name != "lost.md"
    )
    (tmp_path / "mkdocs.yml").write_text(plain + nav)
    done = build(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert done.returncode == 1
    assert "lost.md" in done.stderr
