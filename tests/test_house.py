# SPDX-License-Identifier: Apache-2.0
"""The house keeps its rules: verbs are short commands, rooms are few, nothing imports in a circle."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from dimmer.pipeline.core.closure import ROOT, is_module

FOLDERS = ("dimmer", "pipeline", "calibration", "firmware_gen", "targets", "benchmarks")
VERB_LINES, FILE_LINES, MOST_ROOMS = 120, 400, 20
LICENCE = "# SPDX-License-Identifier: Apache-2.0\n"
"""The first line of every file, which is not counted."""


@cache
def modules() -> dict[str, Path]:
    """Full name -> file of every module of the package."""
    found = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts if folder == "dimmer" else ("dimmer", *parts))] = path
    return {name.removesuffix(".__init__"): path for name, path in found.items()}


def home_of_tests(module: Path) -> Path:
    """Where the tests of a module stand."""
    inner = module.relative_to(ROOT)
    name = inner.parent.name if module.name == "__init__.py" else module.stem.strip("_")
    return ROOT / "tests" / inner.parent / f"test_{name}.py"


def defines_something(module: Path) -> bool:
    """Whether a module has a function or a class of its own."""
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in ast.parse(module.read_text()).body)


def test_every_module_has_its_test_file() -> None:
    wanted = [str(home_of_tests(path).relative_to(ROOT)) for path in modules().values() if defines_something(path)]
    assert len(wanted) > 50
    assert [name for name in wanted if not (ROOT / name).is_file()] == []


VERBS = sorted(path for path in (ROOT / "pipeline").glob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize("verb", VERBS, ids=lambda path: path.stem)
def test_a_file_in_pipeline_is_a_verb(verb: Path) -> None:
    text = verb.read_text()
    assert len(text.removeprefix(LICENCE).splitlines()) <= VERB_LINES
    functions = {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    assert "main" in functions
    assert '__name__ == "__main__"' in text


def test_rooms_are_few() -> None:
    rooms = [path for path in (ROOT / "pipeline").iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert len(rooms) <= MOST_ROOMS
    assert all((room / "__init__.py").is_file() for room in rooms)


def test_a_file_has_one_idea() -> None:
    lines = {name: len(path.read_text().removeprefix(LICENCE).splitlines()) for name, path in modules().items()}
    assert {name: count for name, count in lines.items() if count > FILE_LINES} == {}


def imports(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """Modules that a module imports, those for types alone included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found = inner if inner in known else node.module
                if found in known and found != name:
                    yield found


def test_nothing_imports_in_a_circle() -> None:
    known = modules()
    graph = {name: set(imports(name, path, known)) for name, path in known.items()}
    while free := [name for name, needs in graph.items() if not needs & graph.keys()]:
        for name in free:
            del graph[name]
    circle = {name: sorted(needs & graph.keys()) for name, needs in graph.items()}
    assert not circle


STARTERS = {
    "dimmer/children.py",
    "dimmer/guard.py",
    # apt-get, which is not to be killed.
    "pipeline/core/debian.py",
    # They fork a worker's own children, and end a worker.
    "pipeline/oracle/interpreter.py",
    "pipeline/oracle/micro_worker.py",
    # It ends the command itself.
    "pipeline/core/command.py",
}
STARTS: tuple[str, ...] = (
    "subprocess.run",
    "subprocess.Popen",
    "subprocess.call",
    "subprocess.check",
    "multiprocessing",
    "os.fork",
)
STARTS += ("os.system", "os.spawn", "os.posix_spawn", "os.popen", "TemporaryDirectory", "mkdtemp", "ProcessPool")


def test_programs_are_started_and_write_where_they_go_with_the_command() -> None:
    """What starts programs or makes temporary folders otherwise leaves them behind when it is killed."""
    found = {
        str(path.relative_to(ROOT)): [start for start in STARTS if start in path.read_text()]
        for path in modules().values()
    }
    left_alone = {
        # These run in a folder of their own: a worker's, which goes with it; a cache, into which they are moved.
        "pipeline/conversion/onnx_to_float.py",
        "pipeline/tvm/runtime.py",
        "pipeline/hosted/kept.py",
        "pipeline/data/prepare.py",
        "pipeline/tvm/cuda.py",
    }
    assert {name: starts for name, starts in found.items() if starts and name not in STARTERS | left_alone} == {}


def test_the_wheel_holds_every_package() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    # models/ has recipes and weights, no Python.
    packages = {"dimmer.models", *(name for name, path in modules().items() if path.name == "__init__.py")}
    assert sorted(packages) == sorted(listed)
    assert all(is_module(name) for name in listed if name not in ("dimmer", "dimmer.models"))


@pytest.mark.parametrize("verb", ["calibrate", "build"])
def test_commands_run_from_the_checkout_as_before(verb: str) -> None:
    from sys import executable

    done = subprocess.run([executable, "-m", f"pipeline.{verb}", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--model" in done.stdout
