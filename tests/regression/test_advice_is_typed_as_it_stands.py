# SPDX-License-Identifier: Apache-2.0
"""Where pip had installed Dimmer, errors said `python -m pipeline.train`, which runs in a checkout alone; and a build
told of one missing package after the other, the first of them after a download of 160 MB.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.core.verbs import VERBS

ADVICE = re.compile(r"python -m pipeline\.(\w+)")
WITHOUT = """
import importlib.metadata, sys
asked = importlib.metadata.version

def version(name):
    if name in ("torch", "mlxtend"):
        raise importlib.metadata.PackageNotFoundError(name)
    return "1" if name == "dimmer-nn" else asked(name)

importlib.metadata.version = version
importlib.metadata.requires = lambda name: ["numpy", "torch; extra == 'train'", "mlxtend; extra == 'train'"]
from dimmer.pipeline.cli import main
main()
"""


def typed(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    places = os.pathsep.join([str(ROOT), *sys.path])
    variables = {**os.environ, "PYTHONPATH": places, "DIMMER_BUILD": str(folder / "build")}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("verb", "options", "first"),
    [
        ("export", [], "dimmer train --model mnist5k-r14"),
        ("convert", [], "dimmer calibrate --model mnist5k-r14"),
        ("trade", ["--target", "host"], "dimmer build --model mnist5k-r14 --target host"),
    ],
)
def test_the_command_names_its_own_verbs(tmp_path: Path, verb: str, options: list[str], first: str) -> None:
    done = typed(tmp_path, sys.executable, "-m", "dimmer.pipeline.cli", verb, *options)
    assert done.returncode == 2
    assert first in done.stderr
    assert not ADVICE.search(done.stderr)


def test_every_module_that_is_advised_is_a_verb() -> None:
    modules = {entry.module for entry in VERBS.values()}
    sources = [*(ROOT / "pipeline").rglob("*.py"), *(ROOT / "targets").rglob("*.py")]
    advised = {
        module
        for path in sources
        for line in path.read_text().splitlines()
        if "DimmerError(" in line or "return f" in line
        for module in ADVICE.findall(line)
    }
    assert {"build", "train", "train_gates"} <= advised <= modules


def test_a_build_names_all_missing_packages_before_it_fetches_data(tmp_path: Path) -> None:
    done = typed(tmp_path, sys.executable, "-c", WITHOUT, "build", "--model", "cifar10-r14", "--target", "host")
    assert done.returncode == 2
    assert done.stderr.strip() == "error: torch, mlxtend not installed: type pip install 'dimmer-nn[train]'"
    assert not (tmp_path / "build").exists()
