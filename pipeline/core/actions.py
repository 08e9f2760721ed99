# SPDX-License-Identifier: Apache-2.0
"""What a stage's action imports: where its closure begins.

An action is a function inside the one that describes the stage. It imports what it runs, or names what its file
imports; both are read from the source, so that no list is kept by hand.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from dimmer.pipeline.core.closure import imported, is_module

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class _Needed:
    """What an action needs, as it is gathered.

    Attributes:
        modules: full names.
        nodes: by their ids, the action and what it uses of its file: functions, classes, constants.
    """

    modules: set[str] = field(default_factory=set)
    nodes: dict[int, ast.stmt] = field(default_factory=dict)


def modules_of(action: Callable[..., Any]) -> tuple[str, ...]:
    """Full names of the modules of the package, and of other packages, that an action needs.

    Raises:
        ValueError: its source cannot be found; write it as a function with `def`.
    """
    return tuple(sorted(_needed(action).modules))


def source_of(action: Callable[..., Any]) -> str:
    """The source of an action and of what it uses of its own file, which is in no import closure.

    Raises:
        ValueError: as `modules_of`.
    """
    lines = _path(action).read_text(encoding="utf-8").splitlines()
    nodes = sorted(_needed(action).nodes.values(), key=lambda node: node.lineno)
    return "\n".join(line for node in nodes for line in lines[node.lineno - 1 : node.end_lineno])


def _path(action: Callable[..., Any]) -> Path:
    return Path(action.__code__.co_filename).resolve()


def _needed(action: Callable[..., Any]) -> _Needed:
    path, line = _path(action), action.__code__.co_firstlineno
    tree = _tree(path, path.stat().st_mtime_ns)
    chain = _chain(tree, line)
    if not chain:
        raise ValueError(f"{path}, line {line}: an action is a function that is written with def")
    found = _Needed()
    _gather(chain[-1], [tree, *chain[:-1]], found)
    return found


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


def _gather(node: _Function, around: list[ast.AST], found: _Needed) -> None:
    """Adds what a function imports, and what it uses of the scopes around it, the innermost last."""
    if id(node) in found.nodes:
        return
    found.nodes[id(node)] = node
    for statement in _statements(node):
        found.modules.update(imported(statement))
    names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    for depth in range(len(around) - 1, -1, -1):
        scope = around[depth]
        for statement in _own(scope):
            if isinstance(statement, _Function) and statement.name in names:
                _gather(statement, around[: depth + 1], found)
            elif isinstance(statement, ast.ClassDef) and statement.name in names:
                found.nodes[id(statement)] = statement
                found.modules.update(module for inner in ast.walk(statement) for module in imported(inner))
            elif isinstance(statement, ast.Import | ast.ImportFrom):
                found.modules.update(_used(statement, names))
            elif isinstance(statement, ast.Assign | ast.AnnAssign) and names & _given(statement):
                found.nodes[id(statement)] = statement


def _given(statement: ast.Assign | ast.AnnAssign) -> set[str]:
    """The names that an assignment gives a value to."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return {child.id for target in targets for child in ast.walk(target) if isinstance(child, ast.Name)}


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
