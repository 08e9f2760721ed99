# SPDX-License-Identifier: Apache-2.0
"""The command that trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import train
from dimmer.pipeline.artifacts.checkpoint import load_tensors
from dimmer.pipeline.core.stage import Stage
from dimmer.pipeline.recipe.recipe import load_recipe
from tests.tiny import TINY, TinyBuild, silent


@pytest.mark.xdist_group("tiny")
def test_what_is_trained_is_told_with_its_accuracies(tiny: TinyBuild, capsys: pytest.CaptureFixture[str]) -> None:
    train.main(str(tiny.recipe.path))
    lines = capsys.readouterr().out.splitlines()
    checkpoint = tiny.build / "train" / "checkpoint.safetensors"
    found = load_tensors(checkpoint)[1]["accuracy"]
    expected = [
        f"{name}-net: {found[name]['val']:.2f} % of the validation, {found[name]['test']:.2f} % of the test images"
        for name in ("base", "super")
    ]
    assert [*sorted(lines[:-1]), lines[-1]] == [*expected, str(checkpoint)]


@pytest.mark.xdist_group("tiny")
def test_a_network_of_its_own_has_a_stage_of_its_own(tiny: TinyBuild) -> None:
    stages = [train.stage(tiny.recipe, tiny.build, silent, alone) for alone in (None, "super", "base")]
    assert [stage.name for stage in stages] == ["train", "train-alone-super", "train-alone-base"]
    assert len({stage.folder for stage in stages}) == 3
    assert train.run(tiny.recipe, tiny.build, silent).cached


def test_only_super_and_base_net_are_trained_alone(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match="--alone is super or base, not 'middle'"):
        train.main("mnist5k-r14", alone="middle", out=tmp_path)


def test_another_training_is_not_shipped_as_the_recipe_s(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"--ship is for what the recipe says: write train\.epochs into the recipe"):
        train.main("mnist5k-r14", epochs=1, out=tmp_path, ship=True)


@pytest.mark.parametrize("options", [{"seed": 7}, {"epochs": 3}])
def test_a_trial_does_not_replace_the_training_of_the_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "build"))
    (tmp_path / "lamp").mkdir()
    (tmp_path / "lamp" / "recipe.toml").write_text(TINY)
    recipe = load_recipe(tmp_path / "lamp")

    def action(out: Path) -> None:
        (out / "checkpoint.safetensors").write_text("hours of work")

    made = train.stage(recipe, tmp_path / "build" / "lamp", silent)
    Stage(made.name, made.folder, action, settings=made.settings).run()
    with pytest.raises(DimmerError, match=r"which --seed or --epochs would replace: name another folder with --out"):
        train.main(str(tmp_path / "lamp"), **options)
    assert (made.folder / "checkpoint.safetensors").read_text() == "hours of work"
