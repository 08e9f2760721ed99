# SPDX-License-Identifier: Apache-2.0
"""What the command line says of a verb is what the verb says of itself."""

from __future__ import annotations

import ast

import pytest

from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.core.verbs import VERBS

WITHOUT = {"cli", "plot_gates", "system"}
"""Files of `pipeline/` that are no verbs of `dimmer`: itself, and what only this repository's own sessions call."""


@pytest.mark.parametrize("name", VERBS)
def test_help_is_the_first_line_of_the_verb(name: str) -> None:
    tree = ast.parse((ROOT / "pipeline" / f"{VERBS[name].module}.py").read_text())
    main = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main")
    assert (ast.get_docstring(main) or "").splitlines()[0] == VERBS[name].help


@pytest.mark.parametrize("name", VERBS)
def test_no_number_is_without_end(name: str) -> None:
    """Infinite ones passed a range that has only a least one, and ended in errors of Python's own."""
    texts = [
        ast.unparse(node)
        for node in ast.walk(ast.parse((ROOT / "pipeline" / f"{VERBS[name].module}.py").read_text()))
        if isinstance(node, ast.Subscript)
    ]
    options = [text for text in texts if text.startswith("Annotated[float") and " min=" in text]
    assert [text for text in options if " max=" not in text] == []


def test_every_verb_is_told() -> None:
    files = {path.stem for path in (ROOT / "pipeline").glob("*.py")} - {"__init__"}
    assert {verb.module for verb in VERBS.values()} == files - WITHOUT


@pytest.mark.parametrize("name", sorted(VERBS.keys() - {"init", "adapt", "clean"}))
def test_a_target_is_the_project_s_where_none_is_named(name: str) -> None:
    """Others than these make no project, and take one target."""
    text = (ROOT / "pipeline" / f"{VERBS[name].module}.py").read_text()
    assert '"--target"' not in text
