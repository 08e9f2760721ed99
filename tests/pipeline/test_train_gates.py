# SPDX-License-Identifier: Apache-2.0
"""The command that trains gates."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import train_gates
from dimmer.pipeline.artifacts.checkpoint import GATES, gates_folder
from dimmer.pipeline.artifacts.gate_record import load_gate_record
from dimmer.pipeline.artifacts.sums import list_sum
from dimmer.pipeline.core.stage import Stage, StageResult
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.pipeline.training import gate_loop
from dimmer.pipeline.training.gate_settings import GateSettings
from dimmer.project import MODELS
from tests.tiny import TINY, silent

SHIPPED = MODELS / "cifar10-r14" / "gates.safetensors"


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    (tmp_path / "lamp").mkdir()
    (tmp_path / "lamp" / "recipe.toml").write_text(TINY + "\n[gates]\nepochs = 1\noptions = [8, 0]\n")
    return load_recipe(tmp_path / "lamp")


def test_every_budget_is_told_beside_the_static_mode_that_it_replaces(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path))
    folder = gates_folder(tmp_path / "lamp")
    folder.mkdir(parents=True)
    (folder / GATES).write_bytes(SHIPPED.read_bytes())
    list_sum(folder / GATES)
    monkeypatch.setattr(train_gates, "run", lambda *_: StageResult("gates", 0.0, True))
    train_gates.main(str(recipe.path))
    lines = capsys.readouterr().out.splitlines()
    record = load_gate_record(SHIPPED)
    assert len(lines) == len(record.budgets) + 2
    first = record.budgets[0]
    assert lines[0].startswith(f"budget {first.budget:.3f}: cost {first.test.cost:.3f}, {first.test.accuracy:.2f} %")
    assert lines[0].endswith(f"static {first.static.mode} cost {first.static.cost:.3f}, {first.static.test:.2f} %")
    assert lines[-2].startswith(f"gates: {record.gates.macs} MACs, ")
    assert lines[-1] == str(folder / GATES)


def test_without_a_backbone_the_error_names_the_command(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"run: python -m pipeline\.train --model lamp"):
        train_gates.run(recipe, tmp_path, silent)


def test_changes_are_for_trainings_beside_the_models_own(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DimmerError, match="--change is for trainings beside the model's own: name a folder with --out"):
        train_gates.main(str(recipe.path), change=["gates.only_budget=0.25"])
    checkpoint = tmp_path / "backbone.safetensors"
    checkpoint.touch()
    seen: list[GateSettings] = []

    def train(settings: GateSettings, out: Path, **rest: object) -> None:
        seen.append(settings)
        out.mkdir()
        (out / GATES).write_bytes(SHIPPED.read_bytes())
        list_sum(out / GATES)

    monkeypatch.setattr(gate_loop, "train_gates", train)
    changes = ["gates.only_budget=0.25", "gates.backbone_lr=0.01"]
    train_gates.main(str(recipe.path), change=changes, out=tmp_path / "out", checkpoint=checkpoint)
    assert (seen[0].gates.only_budget, seen[0].gates.backbone_lr) == (0.25, 0.01)
    assert capsys.readouterr().out.endswith(f"{tmp_path / 'out' / GATES}\n")
    with pytest.raises(DimmerError, match=r"--change 'train\.temperature=4': is for keys of \[gates\]"):
        train_gates.main(str(recipe.path), change=["train.temperature=4"], out=tmp_path / "out")
    with pytest.raises(DimmerError, match="--change is for trainings beside"):
        train_gates.main(str(recipe.path), change=changes, out=tmp_path / "out", ship=True)


def test_another_seed_does_not_replace_the_recipe_s_gates(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "build"))
    checkpoint = tmp_path / "backbone.safetensors"
    checkpoint.touch()

    def action(out: Path) -> None:
        (out / GATES).write_text("hours of work")

    made = train_gates.stage(recipe, tmp_path / "build" / "lamp", silent, checkpoint)
    Stage(made.name, made.folder, action, settings=made.settings).run()
    with pytest.raises(DimmerError, match=r"gates has a training of other settings, which --seed would replace"):
        train_gates.main(str(recipe.path), seed=7, checkpoint=checkpoint)
    assert (made.folder / GATES).read_text() == "hours of work"
