# SPDX-License-Identifier: Apache-2.0
"""What a stage's action imports: where its closure begins.

An action is a function inside the one that describes the stage. It imports what it runs, or names what its file
imports; both are read from the source, so that no list is kept by hand.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from dimmer.pipeline.core.closure import imported, is_module

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules_of(action: Callable[..., Any]) -> tuple[str, ...]:
    """Full names of the modules of the package, and of other packages, that an action needs.

    Raises:
        ValueError: its source cannot be found; write it as a function with `def`.
    """
    code = action.__code__
    path = Path(code.co_filename).resolve()
    found: set[str] = set()
    tree = _tree(path, path.stat().st_mtime_ns)
    chain = _chain(tree, code.co_firstlineno)
    if not chain:
        raise ValueError(f"{path}, line {code.co_firstlineno}: an action is a function that is written with def")
    _gather(chain[-1], [tree, *chain[:-1]], found, set())
    return tuple(sorted(found))


@lru_cache(maxsize=256)
def _tree(path: Path, _mtime_ns: int) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _chain(node: ast.AST, line: int) -> list[_Function]:
    """The function that begins at a line, last, and those around it."""
    for child in ast.iter_child_nodes(node):
        inner: list[_Function] = []
        if isinstance(child, _Function):
            first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
            if first == line:
                return [child]
            if first < line <= (child.end_lineno or 0):
                inner = [child, *_chain(child, line)]
        else:
            inner = _chain(child, line)
        if inner:
            return inner
    return []


def _gather(node: _Function, around: list[ast.AST], found: set[str], seen: set[int]) -> None:
    """Adds what a function imports, and what it uses of the scopes around it, the innermost last."""
    if id(node) in seen:
        return
    seen.add(id(node))
    for statement in _statements(node):
        found.update(imported(statement))
    names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    for depth in range(len(around) - 1, -1, -1):
        scope = around[depth]
        for statement in _own(scope):
            if isinstance(statement, _Function) and statement.name in names:
                _gather(statement, around[: depth + 1], found, seen)
            elif isinstance(statement, ast.ClassDef) and statement.name in names:
                found.update(module for inner in ast.walk(statement) for module in imported(inner))
            elif isinstance(statement, ast.Import | ast.ImportFrom):
                found.update(_used(statement, names))


def _used(statement: ast.Import | ast.ImportFrom, names: set[str]) -> Iterator[str]:
    """The modules that an import statement gives to these names."""
    for alias in statement.names:
        if (alias.asname or alias.name).split(".")[0] not in names:
            continue
        if isinstance(statement, ast.Import):
            yield alias.name
        elif statement.module:
            inner = f"{statement.module}.{alias.name}"
            yield inner if is_module(inner) else statement.module


def _statements(node: ast.AST) -> Iterable[ast.AST]:
    return (child for child in ast.walk(node) if isinstance(child, ast.Import | ast.ImportFrom | ast.Constant))


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """A scope's own statements, those in blocks of it included, those of functions within left out."""
    for child in ast.iter_child_nodes(scope):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        if isinstance(child, ast.If | ast.With | ast.Try | ast.For | ast.While | ast.ExceptHandler):
            yield from _own(child)
