"""Training of the gates: costs follow the budget, the backbone stays as it was, an interrupted run ends the same."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from dimmer.pipeline.artifacts.checkpoint import find_gates, load_network, load_tensors
from dimmer.pipeline.artifacts.gates import load_gates
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.data.dataset import Dataset, Split
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.pipeline.training import gate_loop, loop
from dimmer.pipeline.training.gate_trainer import STEPS, GateTrainer
from dimmer.pipeline.training.ship import ship_gates

RECIPE = """\
[model]
family = "resnet"
dataset = "mnist5k"
mandatory = [1, 1]
skippable = [1, 1]
widths = [4, 8]
bits = [8, 4, 2]

[train]
epochs = 2
batch = 32
lr = 0.1
momentum = 0.9
weight_decay = 5e-4
warmup = 0.1
alpha = 0.5
temperature = 2.0
seed = 1

[qat]
epochs = 1

[gates]
warmup_epochs = 5
front_images = 100
epochs = 10
tune_epochs = 2
batch = 64
lr = 0.001
cost_weight = 1.0
lowest_budget = 0.1
budgets = [0.9, 0.5, 0.25, 0.12]
"""


def stripes() -> Dataset:
    """Three classes by direction of a noisy grating, 8x8."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:8, :8]
    waves = np.stack([np.sin(rows * 1.6), np.sin(columns * 1.6), np.sin((rows + columns) * 1.1)])

    def split(size: int) -> Split:
        labels = rng.integers(0, 3, size)
        images = 128 + 60 * waves[labels] + rng.normal(0, 45, (size, 8, 8))
        return Split(np.clip(images, 0, 255).astype(np.uint8)[..., None], labels)

    return Dataset("tiny", ("rows", "columns", "slanted"), (8, 8, 1), split(640), split(200), split(200))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path]:
    """A recipe and the checkpoint of its backbone."""
    folder = tmp_path_factory.mktemp("gates")
    (folder / "tiny").mkdir()
    (folder / "tiny" / "recipe.toml").write_text(RECIPE)
    recipe = load_recipe(folder / "tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "load_dataset", lambda name: stripes())
        return recipe, loop.train(recipe, folder / "train")


@pytest.fixture(autouse=True)
def toy_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_loop, "load_dataset", lambda name: stripes())


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Tensors this small are faster, and equal bits need equal numbers of threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def short(recipe: Recipe, **changes: object) -> Recipe:
    few = {"warmup_epochs": 1, "epochs": 1, "tune_epochs": 1, "images": 192, "budgets": (0.5,)}
    return dataclasses.replace(recipe, gates=dataclasses.replace(recipe.gates, **{**few, **changes}))  # type: ignore[arg-type]


def test_costs_follow_the_budget(trained: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, checkpoint = trained
    before = checkpoint.read_bytes()
    path = gate_loop.train_gates(recipe, tmp_path / "out", checkpoint=checkpoint)
    record = load_tensors(path)[1]
    costs = [line["test"]["cost"] for line in record["budgets"]]
    assert costs == sorted(costs, reverse=True)
    for line, cost in zip(record["budgets"], costs, strict=True):
        assert cost == pytest.approx(line["budget"], rel=0.4)
    for line in record["budgets"]:
        static = line["static"]
        assert static["cost"] <= line["val"]["cost"] or static["mode"] == "20.20"
        assert set(static) == {"mode", "cost", "test"}
    assert [line["mode"] for line in record["uniform"]] == ["88.88", "80.80", "44.44", "40.40", "22.22", "20.20"]
    assert [line["mode"] for line in record["skipping"]][::2] == ["88.88", "80.80"]
    # One set of gates, several modes.
    assert len({mode for line in record["budgets"] for mode in line["test"]["modes"]}) > 3
    assert record["budgets"][0]["test"]["accuracy"] > 80
    history = json.loads((tmp_path / "out" / "history.json").read_text())["history"]
    assert [line["step"] for line in history] == ["warm-up"] * 5 + ["cost"] * 10 + ["tuning"] * 2
    assert checkpoint.read_bytes() == before
    assert not (tmp_path / "out" / "state.safetensors").exists()


def test_a_frozen_backbone_is_left_alone_and_a_trained_one_is_written(
    trained: tuple[Recipe, Path], tmp_path: Path
) -> None:
    recipe, checkpoint = trained
    frozen = GateTrainer(short(recipe), checkpoint, torch.device("cpu"))
    frozen.find_front(stripes().train.images[:50], lambda share: None)
    for step in STEPS:
        frozen.step(torch.randn(32, 1, 8, 8), [0.3, 0.6], step, 0.01)
    original = load_network(recipe, checkpoint).state_dict()
    assert all(torch.equal(t, original[n]) for n, t in frozen.gated.network.state_dict().items())

    gate_loop.train_gates(short(recipe, backbone_lr=0.01), tmp_path, checkpoint=checkpoint)
    changed = load_network(recipe, tmp_path / "checkpoint.safetensors").state_dict()
    assert not torch.equal(changed["stem.conv.weight"], original["stem.conv.weight"])


@pytest.mark.parametrize("backbone_lr", [0.0, 0.01])
def test_an_interrupted_training_ends_in_the_same_bytes(
    trained: tuple[Recipe, Path], tmp_path: Path, backbone_lr: float
) -> None:
    recipe, checkpoint = trained
    recipe = short(recipe, backbone_lr=backbone_lr)
    whole = gate_loop.train_gates(recipe, tmp_path / "whole", checkpoint=checkpoint).read_bytes()

    def interrupt(text: str, share: float) -> None:
        if share > 0.75:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gate_loop.train_gates(recipe, tmp_path / "cut", checkpoint=checkpoint, progress=interrupt)
    seen: list[float] = []
    resumed = gate_loop.train_gates(
        recipe, tmp_path / "cut", checkpoint=checkpoint, progress=lambda text, share: seen.append(share)
    )
    assert seen[0] > 2 / 3
    assert resumed.read_bytes() == whole


def test_finished_gates_are_not_trained_again_and_load(trained: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, checkpoint = trained
    recipe = short(recipe)
    path = gate_loop.train_gates(recipe, tmp_path, checkpoint=checkpoint)
    before = path.stat().st_mtime_ns
    assert gate_loop.train_gates(recipe, tmp_path, checkpoint=checkpoint).stat().st_mtime_ns == before
    assert load_gates(recipe, path).config == recipe.gates.config()
    other = short(recipe, hidden=4)
    with pytest.raises(DimmerError, match="other gates than"):
        load_gates(other, path)


def test_shipped_gates_come_with_what_was_measured(trained: tuple[Recipe, Path], tmp_path: Path) -> None:
    trained_recipe, checkpoint = trained
    (tmp_path / "tiny").mkdir()
    recipe = dataclasses.replace(short(trained_recipe), path=tmp_path / "tiny" / "recipe.toml")
    gate_loop.train_gates(recipe, tmp_path / "gates", checkpoint=checkpoint)
    shipped = ship_gates(recipe, tmp_path / "gates")
    assert shipped == find_gates(recipe)
    assert load_gates(recipe).config == recipe.gates.config()
    results = json.loads((tmp_path / "tiny" / "gates.json").read_text())
    assert [line["budget"] for line in results["budgets"]] == [0.5]
    assert results["commands"] == ["python -m pipeline.train_gates --model tiny --threads 1 --seed 1 --ship"]


def test_a_recipe_without_gates_says_what_to_do(trained: tuple[Recipe, Path], tmp_path: Path) -> None:
    recipe, checkpoint = trained
    with pytest.raises(DimmerError, match=r"give \[gates\] .* an epochs of 1 or more"):
        gate_loop.train_gates(short(recipe, epochs=0), tmp_path, checkpoint=checkpoint)


def test_gates_choose_from_the_uniform_modes_which_are_published(trained: tuple[Recipe, Path]) -> None:
    recipe, _ = trained
    assert [str(mode) for mode in recipe.forced_modes()] == ["88.88", "80.80", "44.44", "40.40", "22.22", "20.20"]
    assert short(recipe, epochs=0).forced_modes() == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("options = [0, 8]", "must fall and hold 8"),
        ("options = [8, 3]", "must fall and hold 8"),
        ("budgets = [0.2, 0.4]", "must fall, from 1"),
        ("dead_band = 1.0", "at least 0 and under 1"),
        ("reference_bits = 4", "8, 16 or 32"),
        ("epochs = 0\n[policy]\nbudgets = [1.0, 0.5, 0.3, 0.2]", r"policy.budgets are for gates"),
        ("epochs = 1\n[policy]\nbudgets = [1.0, 0.5]", "must fall, one more than tiers"),
        ("epochs = 1\noptions = [8, 2]\n", r"gates.options holds 2, model.bits does not"),
    ],
)
def test_a_broken_section_is_told_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    text = RECIPE.split("[gates]")[0].replace("bits = [8, 4, 2]", "bits = [8, 4]")
    (tmp_path / "recipe.toml").write_text(f"{text}[gates]\n{line}\n")
    with pytest.raises(DimmerError, match=rf"recipe.toml, line \d+: .*{message}"):
        load_recipe(tmp_path)
