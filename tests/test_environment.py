# SPDX-License-Identifier: Apache-2.0
"""docs/environment.md has every environment variable that the project reads or sets, and no other."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "environment.md"
SCRIPTS = ("nox", ".ci/run", "targets/linux/install.sh", "targets/linux/dimmer.service")
NAME = re.compile(r"_?[A-Z][A-Z0-9_]+")


def tracked(*patterns: str) -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def is_environ(node: ast.expr) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "environ") or (
        isinstance(node, ast.Name) and node.id in ("environ", "environment")
    )


def named(node: ast.AST | None) -> Iterator[str]:
    """The variables that an expression names: a string, or several in a tuple."""
    for inner in ast.walk(node) if node is not None else ():
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str) and NAME.fullmatch(inner.value):
            yield inner.value


def in_python(text: str) -> set[str]:
    """Variables that Python reads or sets through os.environ and os.getenv, or gives to a program in a dictionary."""
    found: set[str] = set()
    tree = ast.parse(text)
    readers = {
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and is_environ(node.func.value)
        if node.args and isinstance(node.args[0], ast.Name)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[key, *_]) if name in readers:
                found.update(named(key))
            case ast.Subscript(value=value, slice=key) if is_environ(value):
                found.update(named(key))
            case ast.Compare(left=left, comparators=[right]) if is_environ(right):
                found.update(named(left))
            case ast.Call(func=ast.Attribute(value=value, attr="get" | "setdefault" | "pop"), args=[key, *_]) if (
                is_environ(value)
            ):
                found.update(named(key))
            case ast.Call(func=ast.Attribute(attr="getenv"), args=[key, *_]):
                found.update(named(key))
            case ast.keyword(arg="env" | "environment", value=value):
                found.update(named(value))
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in (
                "environment",
                "ONE_THREAD",
                "others",
            ):
                found.update(named(value))
            case _:
                pass
    return found


def in_shell(text: str) -> set[str]:
    """Variables that a script reads and does not assign itself, and those that it gives to a program by env."""
    text = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
    read = set(re.findall(r"\$\{?([A-Z][A-Z0-9_]+)", text))
    own = set(re.findall(r"^\s*([A-Z][A-Z0-9_]+)=", text, re.MULTILINE)) | {"BASH_SOURCE"}
    return (read - own) | set(re.findall(r"\benv ([A-Z][A-Z0-9_]+)=", text))


def of_the_page() -> list[str]:
    rows = re.findall(r"^\| (`.*?) \|", PAGE.read_text(), re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(_?[A-Z][A-Z0-9_]+)`", row)]


def test_what_is_found() -> None:
    text = """
import os
a = os.environ["A_A"]
b = os.environ.get("B_B") or os.getenv("C_C")
os.environ.setdefault("D_D", "1")
e = "E_E" in os.environ
run(env={"F_F": "1"})
environment = {"G_G": "1", "lower": "2"}
h = other["H_H"]
def folders(variable): return os.environ.get(variable, "")
i = folders("I_I") + other_folders("J_J")
"""
    assert in_python(text) == {"A_A", "B_B", "C_C", "D_D", "E_E", "F_F", "G_G", "I_I"}
    assert in_shell('OWN=1\n# $COMMENT\nuse "$OWN" "${READ:-0}"\nsudo env GIVEN=1 apt-get\n') == {"READ", "GIVEN"}


def test_the_page_has_every_variable() -> None:
    found: dict[str, str] = {}
    for path in tracked("*.py"):
        if not path.is_relative_to(ROOT / "tests") or path.name in ("conftest.py", "tiny.py"):
            found.update(dict.fromkeys(in_python(path.read_text()), str(path.relative_to(ROOT))))
    for script in SCRIPTS:
        found.update(dict.fromkeys(in_shell((ROOT / script).read_text()), script))
    for path in tracked("*.c", "*.h"):
        found.update(dict.fromkeys(re.findall(r'\bgetenv\("(\w+)"\)', path.read_text()), str(path.relative_to(ROOT))))
    page = of_the_page()
    assert len(found) > 10
    assert {name: where for name, where in found.items() if name not in page} == {}
    sources = "\n".join(path.read_text() for path in [*tracked("*.py"), *(ROOT / script for script in SCRIPTS)])
    assert [name for name in page if name not in sources] == []


def test_the_page_names_each_once() -> None:
    page = of_the_page()
    assert len(page) == len(set(page))
