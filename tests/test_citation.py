# SPDX-License-Identifier: Apache-2.0
"""CITATION.cff: version, both papers, and the keys that its schema (1.2.0) asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml", reason="needs pyyaml, see requirements/docs.txt")

ROOT = Path(__file__).resolve().parent.parent
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())


def test_what_the_schema_asks_for() -> None:
    assert CITATION["cff-version"] == "1.2.0"
    assert all(isinstance(CITATION[key], str) and CITATION[key] for key in ("message", "title", "license"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", CITATION["date-released"])
    assert CITATION["authors"]
    for work in CITATION["references"]:
        assert {"type", "title", "authors"} <= work.keys()
        assert all({"family-names", "given-names"} == person.keys() for person in work["authors"])


def test_version_and_licence_are_the_project_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert CITATION["version"] == project["version"]
    assert CITATION["license"] == project["license"] == "Apache-2.0"
    assert f"## [{project['version']}] - {CITATION['date-released']}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize(
    ("title", "authors", "year"),
    [
        ("Adaptive Depth Networks with Skippable Sub-Paths", ["Kang", "Lee"], 2024),
        (
            "Fractional Skipping: Towards Finer-Grained Dynamic CNN Inference",
            ["Shen", "Wang", "Xu", "Fu", "Wang", "Lin"],
            2020,
        ),
    ],
)
def test_the_papers(title: str, authors: list[str], year: int) -> None:
    (work,) = [work for work in CITATION["references"] if work["title"] == title]
    assert [person["family-names"] for person in work["authors"]] == authors
    assert work["year"] == year
