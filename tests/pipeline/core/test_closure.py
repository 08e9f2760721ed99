# SPDX-License-Identifier: Apache-2.0
"""The import closure is what a module really imports, and knows every package that decides a result."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dimmer.pipeline.core import closure as closures
from dimmer.pipeline.core.closure import DISTRIBUTIONS, ROOT, WITHOUT_EFFECT, closure, imports_of

PACKAGES = ("pipeline", "calibration", "firmware_gen", "targets")


def names(*modules: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in closure(*modules).files}


@pytest.mark.parametrize("module", ["dimmer.pipeline.core.stage", "dimmer.firmware_gen.generate", "dimmer.targets"])
def test_whatever_python_loads_is_in_the_closure(module: str) -> None:
    script = (
        f"import sys, {module}\n"
        "for name, module in sys.modules.items():\n"
        "    if name.startswith('dimmer.') and getattr(module, '__file__', None): print(module.__file__)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {Path(line).resolve().relative_to(ROOT).as_posix() for line in done.stdout.split()}
    assert loaded
    assert loaded <= names(module)


def test_imports_within_functions_count_and_those_for_types_do_not(tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    source.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from dimmer.pipeline.core import debian\n"
        "else:\n    from dimmer.pipeline.core import progress\n"
        "def late():\n    from dimmer.errors import DimmerError\n    import numpy, json\n"
        'WORKER = ["-m", "dimmer.pipeline.oracle.interpreter"]\n'
    )
    inner, outer = imports_of(source)
    assert inner == {
        "dimmer.pipeline.core",
        "dimmer.pipeline.core.progress",
        "dimmer.errors",
        "dimmer.pipeline.oracle.interpreter",
    }
    assert outer == {"numpy"}


def test_the_packages_on_the_way_to_a_module_belong_to_it() -> None:
    assert {"pipeline/core/__init__.py", "dimmer/errors.py"} <= names("dimmer.pipeline.core.checks")


def test_a_module_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no module dimmer\.pipeline\.lamp"):
        closure("dimmer.pipeline.lamp")


def test_an_edit_is_seen_within_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source.py"
    source.write_text("a = 1\n")
    before = closures.file_hash(source)
    source.write_text("a = 2\n")
    assert closures.file_hash(source) != before


def test_every_package_that_is_imported_is_known() -> None:
    found: set[str] = set()
    for folder in PACKAGES:
        for path in (ROOT / folder).rglob("*.py"):
            found |= imports_of(path)[1]
    unknown = found - set(DISTRIBUTIONS) - WITHOUT_EFFECT
    assert not unknown, f"does another version of these change a result? {sorted(unknown)}"


def test_versions_are_those_installed() -> None:
    from importlib.metadata import version

    versions = closure("dimmer.pipeline.conversion.converted").versions()
    assert versions["ai-edge-litert"] == version("ai-edge-litert")
    assert versions["onnxsim"] == version("onnxsim")


def test_a_module_from_elsewhere_counts_with_its_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    family = tmp_path / "lamp_family.py"
    family.write_text("from dimmer.pipeline.modes import mode\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = closure("lamp_family")
    assert "pipeline/modes/mode.py" in found.hashes()
    before = found.hashes()["lamp_family"]
    family.write_text("from dimmer.pipeline.modes import mode\nBRIGHT = True\n")
    assert closure("lamp_family").hashes()["lamp_family"] != before
