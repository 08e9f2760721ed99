# SPDX-License-Identifier: Apache-2.0
"""What passes between modules has types, and names that are used elsewhere are public."""

from __future__ import annotations

import ast
import dataclasses
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from dimmer.pipeline.core.closure import ROOT
from tests.test_house import modules

EDGES = {
    "dimmer/toml.py": "what tomllib gives, before it becomes a dataclass",
    "pipeline/artifacts/checkpoint.py": "the record in a checkpoint's header, which its reader makes a dataclass",
    "pipeline/core/documents.py": "what json.loads gives, before it becomes a dataclass",
    "pipeline/energy/measurement/jls.py": "what pyjls tells of a signal, before it becomes a trace",
    "pipeline/recipe/read.py": "what tomllib gives, before it becomes a dataclass",
    "pipeline/recipe/recipe.py": "the sections on their way into the recipe's constructor",
    "pipeline/reporting/plots.py": "matplotlib's keyword arguments",
    "pipeline/schemas/target.py": "where in a target's table a word is looked for",
    "pipeline/tvm/module.py": "TVM's keyword arguments",
    "pipeline/data/readers/saved.py": "what json.loads and Arrow's rows give, before they become samples",
    "pipeline/oracle/micro_worker.py": "TFLite-Micro's interpreter, which has no types",
    "benchmarks/networks.py": "options of TFLite's schema objects, by keyword",
    "firmware_gen/operators_page.py": "what json.loads gives of the counts, before it becomes a table",
    "firmware_gen/lower/elementwise.py": "fields of a record, which its kernel's class takes by keyword",
    "firmware_gen/lower/shapes.py": "fields of a record, which its kernel's class takes by keyword",
    "firmware_gen/lower/wide.py": "fields of a record, which its kernel's class takes by keyword",
    "firmware_gen/lower/weighted.py": "fields of a record, which its kernel's class takes by keyword",
    "targets/jetson/build_engines.py": "runs alone on the board, where there is no package to read JSON with",
    "targets/kit/family.py": "what tomllib gives of a family, put under what it gives of a target",
    "targets/kit/schema.py": "what tomllib gives, before it becomes a target",
    "targets/runners/link.py": "lines of JSON from a board, before they become its answers",
}
"""The only files with dictionaries from text to anything, and why there."""


def untyped(path: Path) -> Iterator[int]:
    """Lines with a mapping from text to Any, in an annotation or an alias."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            key, value = node.slice.elts[0], node.slice.elts[-1]
            named = isinstance(node.value, ast.Name) and node.value.id in ("dict", "Mapping", "MutableMapping")
            pair = [part.id for part in (key, value) if isinstance(part, ast.Name)]
            if named and pair == ["str", "Any"]:
                yield node.lineno


def test_dictionaries_of_anything_stay_at_the_edge() -> None:
    found = {}
    for path in modules().values():
        if lines := list(untyped(path)):
            found[path.relative_to(ROOT).as_posix()] = lines
    assert {name: lines for name, lines in found.items() if name not in EDGES} == {}
    assert EDGES.keys() <= found.keys(), "these have none any more: take them off the list"


def test_the_search_finds_them(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text("a: dict[str, int]\n\ndef f(x: list[Mapping[str, Any]]) -> dict[str, Any] | None: ...\n")
    assert list(untyped(path)) == [3, 3]


@pytest.mark.parametrize("name", [name for name in sorted(modules()) if ".pipeline.artifacts." in name])
def test_artefacts_are_frozen(name: str) -> None:
    module = importlib.import_module(name)
    for cls in vars(module).values():
        if dataclasses.is_dataclass(cls) and isinstance(cls, type) and cls.__module__ == name:
            assert cls.__dataclass_params__.frozen, cls  # type: ignore[attr-defined]


def test_names_with_an_underscore_stay_in_their_module() -> None:
    taken = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.module}.{alias.name}"
        for path in (*modules().values(), *sorted((ROOT / "tests").rglob("*.py")))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dimmer")
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]
    assert taken == []
