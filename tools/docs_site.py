# SPDX-License-Identifier: Apache-2.0
"""Hooks of mkdocs: pages that lie outside docs/, the reference pages, and links that lead out of the site.

A page of the repository (the runtime's README, the model cards) has its place in `PAGES`. A link to a file that is no
page, a source say, becomes its path: the site knows no address of the repository.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from tools.header_reference import page as header_page

ROOT = Path(__file__).resolve().parent.parent
HEADER = "firmware_gen/runtime/include/dimmer.h"
FOLDERS = ("dimmer", "calibration", "firmware_gen", "targets", "pipeline")
PYTHON = "reference/python"
# Path in the repository -> page of the site, of what is no page of docs/ itself.
PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "models/LICENCES.md": "licences.md",
    "models/cifar10-r14/README.md": "models/cifar10-r14.md",
    "models/cifar10-r20/README.md": "models/cifar10-r20.md",
    "models/mnist5k-r14/README.md": "models/mnist5k-r14.md",
    HEADER: "reference/c.md",
    "firmware_gen/runtime/README.md": "reference/runtime.md",
    "examples/README.md": "examples/index.md",
    "examples/bare_metal/README.md": "examples/bare_metal.md",
    "examples/battery_loop/README.md": "examples/battery_loop.md",
    "examples/cpp_host/README.md": "examples/cpp_host.md",
    "examples/keyword_stream/README.md": "examples/keyword_stream.md",
    "examples/two_models/README.md": "examples/two_models.md",
    "examples/npu/alif_ensemble/README.md": "examples/alif_ensemble.md",
    "examples/npu/grove_vision_ai_v2/README.md": "examples/grove_vision_ai_v2.md",
}


def packages() -> dict[str, list[str]]:
    """Package -> its public modules that have something to show, in full names: a page of the reference each."""
    found: dict[str, list[str]] = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            full = parts if folder == "dimmer" else ("dimmer", *parts)
            private = any(part.startswith("_") and part != "__init__" for part in full)
            if private or not (path.parent / "__init__.py").is_file():
                continue
            if re.search(r"^(?:class|def|async def) [A-Za-z]|^[A-Za-z]\w* *[:=]", path.read_text(), re.MULTILINE):
                module = ".".join(full).removesuffix(".__init__")
                found.setdefault(".".join(full[:-1]), []).append(module)
    return found


def python_page(package: str, modules: list[str]) -> str:
    """The page of a package, for mkdocstrings."""
    return "\n\n".join([f"# {package}", *(f"::: {module}" for module in modules)]) + "\n"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Puts the pages of the packages into the navigation, where their index is named."""
    index = f"{PYTHON}/index.md"
    for section in config.nav or []:
        for items in section.values():
            if isinstance(items, list):
                for item in items:
                    if isinstance(item, dict) and index in item.values():
                        (title,) = item
                        item[title] = [index, *({name: f"{PYTHON}/{name}.md"} for name in packages())]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are made here or lie elsewhere."""
    for source, place in PAGES.items():
        text = (ROOT / source).read_text()
        content = header_page(text, "dimmer.h") if source == HEADER else moved(text, source)
        files.append(File.generated(config, place, content=content))
    made = packages()
    index = ["# Python packages", "", *(f"- [{name}]({name}.md)" for name in made)]
    files.append(File.generated(config, f"{PYTHON}/index.md", content="\n".join(index) + "\n"))
    for name, modules in made.items():
        files.append(File.generated(config, f"{PYTHON}/{name}.md", content=python_page(name, modules)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns the links of docs/ that lead out of it; those of other pages were turned when they were read."""
    source = page.file.src_uri
    return markdown if page.file.generated_by else moved(markdown, f"docs/{source}")


def moved(markdown: str, source: str) -> str:
    """The text of a page with links that hold where it stands in the site.

    Args:
        source: its path in the repository.
    """
    here = posixpath.dirname(site_path(source))

    def turn(match: re.Match[str]) -> str:
        text, link, anchor = match["text"], match["link"], match["anchor"] or ""
        if re.match(r"[a-z]+:", link) or not link:
            return match[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
        if target == "README.md":
            target = "docs/index.md"
        if target in PAGES or (target.startswith("docs/") and (ROOT / target).is_file()):
            return f"{match['bang']}[{text}]({posixpath.relpath(site_path(target), here or '.')}{anchor})"
        return text if target in text or "`" in text else f"{text} (`{target}`)"

    return re.sub(r"(?P<bang>!?)\[(?P<text>[^\]]*)\]\((?P<link>[^)#\s]*)(?P<anchor>#[^)\s]*)?\)", turn, markdown)


def site_path(source: str) -> str:
    """Where a file of the repository stands in the site.

    >>> site_path("docs/bits.md"), site_path("SECURITY.md")
    ('bits.md', 'security.md')
    """
    return PAGES.get(source, source.removeprefix("docs/"))
