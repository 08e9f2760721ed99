# SPDX-License-Identifier: Apache-2.0
"""docs/data.md: what it says to type does what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.recipe.recipe import load_recipe
from tests.boards import rest_slow
from tests.own_data import write_images, write_recordings, write_saved, write_steps
from tests.pipeline.test_cli import dimmer
from tests.pipeline.test_own_tutorials import motor

PAGE = (ROOT / "docs" / "data.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in block.splitlines()]
INITS = [line for line in COMMANDS if line.startswith("dimmer init")]


def write_data(folder: Path) -> None:
    """Everything that the page's commands read."""
    write_images(folder / "pictures", {"oak": 12, "elm": 9})
    write_steps(folder / "imu.csv", subjects=6, each=16)
    write_recordings(folder / "sounds", {"yes": 12, "no": 12})
    for path in sorted((folder / "sounds").glob("*/*.wav")):
        path.rename(path.with_name(f"spk{path.name[1:]}"))
    sources = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    for name, python in zip(("ring_data.py", "rig_data.py"), sources, strict=True):
        (folder / name).write_text(python)
    force = np.random.default_rng(0).standard_normal(3200).cumsum()
    rows = [f"{value:.3f},{value / 7:.3f}" for value in force]
    motor(folder)
    cells = np.random.default_rng(0).standard_normal((60, 32, 3)) + (np.arange(60) % 2)[:, None, None]
    names = {"names": ["low", "high"], "_type": "ClassLabel"}
    columns = {"x": cells.tolist(), "label": (np.arange(60) % 2).tolist()}
    write_saved(folder / "saved_windows", columns, {"x": {"_type": "List"}, "label": names}, shards=2)
    (folder / "load.csv").write_text("\n".join(["force,kg", *rows]))


def project_of(folder: Path, words: list[str]) -> Path:
    return folder if words[2].startswith("--") else folder / words[2]


@pytest.mark.parametrize("line", rest_slow(INITS, INITS[0]), ids=lambda line: line.split("--data ")[1].split()[0])
def test_every_init_of_the_page(tmp_path: Path, line: str) -> None:
    write_data(tmp_path)
    words, cache = shlex.split(line), str(tmp_path / "cache")
    done = dimmer(tmp_path, *words[1:], DIMMER_CACHE=cache)
    assert done.returncode == 0, done.stderr
    project = project_of(tmp_path, words)
    (recipe,) = project.glob("models/*/recipe.toml")
    kinds = {"pictures": "images", "sounds": "recordings", "ring_data:load": "python", "rig_data:load": "python"}
    section = load_recipe(recipe).model.data
    assert section.kind == kinds.get(words[words.index("--data") + 1], "windows")
    several = "several" if "rig_data:load" in words else ""
    one = "values" if "kg" in words else "anomaly" if "--normal" in words else "classes"
    assert section.task == (several or one)
    done = dimmer(project, "dataset", DIMMER_CACHE=cache)
    assert done.returncode == 0, done.stderr
    assert "left out" not in done.stdout.replace("left out: load.csv", "")


@pytest.mark.slow
@pytest.mark.board
@pytest.mark.parametrize("line", INITS, ids=lambda line: line.split("--data ")[1].split()[0])
def test_every_one_is_built_exact(tmp_path: Path, line: str) -> None:
    write_data(tmp_path)
    words, cache = shlex.split(line), str(tmp_path / "cache")
    assert dimmer(tmp_path, *words[1:], DIMMER_CACHE=cache).returncode == 0
    project = project_of(tmp_path, words)
    (recipe,) = project.glob("models/*/recipe.toml")
    recipe.write_text(re.sub(r"(?m)^epochs = \d+", "epochs = 1", recipe.read_text()))
    done = dimmer(project, "build", DIMMER_CACHE=cache, COLUMNS="120")
    assert done.returncode == 0, done.stderr
    assert "bit-exact" in done.stdout
    assert dimmer(project, "eval", DIMMER_CACHE=cache).returncode == 0
    header = next(project.glob("build/*/mps2-an386/firmware/dimmer_*.h"))
    assert "CLASS_NAMES" in "".join(path.read_text() for path in header.parent.glob("dimmer_*.h"))


def test_a_function_outside_the_project_is_refused(tmp_path: Path) -> None:
    write_data(tmp_path)
    done = dimmer(tmp_path, "init", "door", "--data", "ring_data:load", "--yes", DIMMER_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 2
    assert "ring_data.py lies outside the project: type dimmer init in its folder" in done.stderr
    assert not (tmp_path / "door").exists()
