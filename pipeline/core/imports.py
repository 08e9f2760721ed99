# SPDX-License-Identifier: Apache-2.0
"""The names that a source file imports, kept between runs: to parse some hundred files takes two seconds.

They are kept by the SHA-256 of the file's contents in ``$DIMMER_CACHE`` (else ``~/.cache/dimmer``), file
``imports.json``. Removing it, or a folder that cannot be written, costs the time to parse them anew.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = "dimmer"
_AT_MOST = 4096
"""Sources whose names are kept; what this program used stays, of the others the newest."""


@dataclass(frozen=True)
class Names:
    """What one source, or one node of it, names.

    Attributes:
        imports: modules that it imports, sorted.
        perhaps: full names in the package that are modules or things in them: ``from a import b``, and strings.
    """

    imports: tuple[str, ...]
    perhaps: tuple[str, ...]


def names_of(node: ast.AST) -> Names:
    """What one node of a source names.

    Examples:
        >>> names_of(ast.parse("from dimmer.pipeline import modes").body[0])
        Names(imports=('dimmer.pipeline',), perhaps=('dimmer.pipeline.modes',))
    """
    if isinstance(node, ast.Import):
        return Names(tuple(alias.name for alias in node.names), ())
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        inner = node.module.split(".")[0] == PACKAGE
        return Names((node.module,), tuple(f"{node.module}.{alias.name}" for alias in node.names) if inner else ())
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _may_be_module(node.value):
        return Names((), (node.value,))
    return Names((), ())


def source_names(path: Path) -> Names:
    """What a source file names, imports for types alone left out.

    Raises:
        SyntaxError: it is not Python.
    """
    source = path.read_bytes()
    digest = hashlib.sha256(source).hexdigest()
    store = _store()
    found = store.known.get(digest)
    if found is None:
        imports: set[str] = set()
        perhaps: set[str] = set()
        for node in _run(ast.parse(source)):
            names = names_of(node)
            imports.update(names.imports)
            perhaps.update(names.perhaps)
        found = Names(tuple(sorted(imports)), tuple(sorted(perhaps)))
    store.use(digest, found)
    return found


def keep() -> None:
    """Write what was parsed since the last time, for the next program."""
    _store().write()


class _Store:
    """The kept names: SHA-256 of a source -> what it names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Another version of this file, or of Python, may find other names in the same source.
        self.made_by = hashlib.sha256(Path(__file__).read_bytes() + repr(sys.version_info[:2]).encode()).hexdigest()
        self.known: dict[str, Names] = {}
        self.new = False
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            document = json.loads(path.read_text())
            if document["made_by"] == self.made_by:
                self.known = {
                    digest: Names(tuple(map(str, imports)), tuple(map(str, perhaps)))
                    for digest, (imports, perhaps) in document["sources"].items()
                }

    def use(self, digest: str, names: Names) -> None:
        self.new |= digest not in self.known
        # The last ones used stand at the end.
        self.known.pop(digest, None)
        self.known[digest] = names

    def write(self) -> None:
        if not self.new:
            return
        self.new = False
        sources = {digest: [names.imports, names.perhaps] for digest, names in list(self.known.items())[-_AT_MOST:]}
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}-")
            try:
                with os.fdopen(handle, "w") as file:
                    json.dump({"made_by": self.made_by, "sources": sources}, file)
                Path(name).replace(self.path)
            except OSError:
                Path(name).unlink()


def _store() -> _Store:
    # The variable of dimmer.project, which is not imported: whatever this module imports is in the key of each stage.
    try:
        folder = Path(os.environ.get("DIMMER_CACHE") or Path.home() / ".cache" / "dimmer")
    except RuntimeError:  # a user without a home
        folder = Path(os.devnull)
    return _store_at(folder.absolute() / "imports.json")


@cache
def _store_at(path: Path) -> _Store:
    return _Store(path)


def _may_be_module(text: str) -> bool:
    return text.startswith(f"{PACKAGE}.") and text.replace(".", "").replace("_", "").isalnum()


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree but those that only a type checker sees."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for other in node.orelse:
                yield other
                yield from _run(other)
            continue
        yield node
        yield from _run(node)
