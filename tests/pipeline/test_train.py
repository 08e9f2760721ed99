"""Training: the step of Algorithm 1, resuming in the same bits, and what it leaves behind."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from dimmer.pipeline import train as stage
from dimmer.pipeline.artifacts.checkpoint import find_checkpoint, load_network, load_tensors, shipped_checkpoint
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.data.dataset import Dataset, Split
from dimmer.pipeline.data.encoding import to_input
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks import build
from dimmer.pipeline.networks.families.resnet import Stem
from dimmer.pipeline.networks.layers.limits import MIN_GAMMA
from dimmer.pipeline.networks.measure import accuracy, distillation
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from dimmer.pipeline.recipe.sections.training import AverageSection, PolishSection, QatSection, TeacherSection
from dimmer.pipeline.training.loop import override, train
from dimmer.pipeline.training.optimiser import make_optimizer
from dimmer.pipeline.training.phases import phases
from dimmer.pipeline.training.sampling import polished_mode, sample_mode
from dimmer.pipeline.training.ship import ship
from dimmer.pipeline.training.trainer import Trainer

RECIPE = """\
[model]
family = "resnet"
dataset = "mnist5k"
mandatory = [1, 1]
skippable = [1, 1]
widths = [4, 8]

[train]
epochs = 3
batch = 16
lr = 0.1
momentum = 0.9
weight_decay = 5e-4
warmup = 0.1
alpha = 0.5
temperature = 2.0
seed = 1

[train.augmentation]
pad = 1
flip = true
rotate = 5.0
"""


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """A tiny network that learns to tell bright images from dark ones."""
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "recipe.toml").write_text(RECIPE)
    monkeypatch.setenv("DIMMER_BUILD", str(tmp_path / "build"))
    monkeypatch.setattr(stage, "load_dataset", lambda name: bright_or_dark())
    return load_recipe(tmp_path / "tiny")


def bright_or_dark() -> Dataset:
    rng = np.random.default_rng(0)

    def split(size: int) -> Split:
        labels = rng.integers(0, 2, size)
        images = rng.integers(0, 120, (size, 8, 8, 1)) + 120 * labels[:, None, None, None]
        return Split(images.astype(np.uint8), labels)

    return Dataset("tiny", ("dark", "bright"), (8, 8, 1), split(70), split(20), split(20))


def test_norms_and_biases_have_no_weight_decay(recipe: Recipe) -> None:
    network = Trainer(recipe, None, torch.device("cpu")).network
    decayed, free = make_optimizer(network, recipe.train).param_groups
    assert decayed["weight_decay"] == recipe.train.weight_decay
    assert free["weight_decay"] == 0
    assert all(p.ndim == 1 for p in free["params"])
    names = {name for name, p in network.named_parameters() if any(p is q for q in free["params"])}
    assert names == {n for n, _ in network.named_parameters() if "norm" in n or n.endswith("bias")}


def test_one_step_has_the_gradients_of_algorithm_1(recipe: Recipe) -> None:
    """The shared stem must not change what two whole passes, forward and backward, would give."""
    recipe = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, alpha=0.3, weight_decay=0.0))
    x, labels = to_input(bright_or_dark().train.images[:16]), torch.arange(16) % 2
    trainer = Trainer(recipe, None, torch.device("cpu"))
    trainer.network.train()
    trainer.step(x, labels, 0.01)

    reference = Trainer(recipe, None, torch.device("cpu"))
    network = reference.network.train()
    teacher = network(x, reference.super)
    (0.6 * torch.nn.functional.cross_entropy(teacher, labels)).backward()
    (1.4 * distillation(network(x, network.base_mode()), teacher.detach(), 2.0)).backward()
    for (name, ours), theirs in zip(trainer.network.named_parameters(), network.parameters(), strict=True):
        assert ours.grad is not None, name
        assert theirs.grad is not None, name
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-3, atol=1e-5, msg=name)


def test_the_base_net_does_not_teach_the_skippable_blocks(recipe: Recipe) -> None:
    trainer = Trainer(recipe, None, torch.device("cpu"))
    x = to_input(bright_or_dark().train.images[:16])
    distillation(trainer.network(x, trainer.network.base_mode()), torch.randn(16, 10), 2.0).backward()
    assert all(p.grad is None for n, p in trainer.network.named_parameters() if n.startswith("stages.0.1"))


def test_training_learns_and_writes_checkpoint_and_history(recipe: Recipe, tmp_path: Path) -> None:
    seen: list[float] = []
    path = train(recipe, tmp_path / "out", progress=lambda text, share: seen.append(share))
    assert path == tmp_path / "out" / "checkpoint.safetensors"
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    network = load_network(recipe, path)
    assert not network.training
    history = json.loads((tmp_path / "out" / "history.json").read_text())
    assert [line["epoch"] for line in history["history"]] == [1, 2, 3]
    for name, mode in (("super", network.super_mode()), ("base", network.base_mode())):
        assert history["accuracy"][name]["test"] == accuracy(network, bright_or_dark().test, mode) >= 90
    gammas = [m.weight.min() for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert min(gammas) >= MIN_GAMMA
    assert not (tmp_path / "out" / "state.safetensors").exists()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_an_interrupted_training_ends_in_the_same_bytes(recipe: Recipe, tmp_path: Path, precision: str) -> None:
    recipe = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, precision=precision))
    whole = train(recipe, tmp_path / "whole").read_bytes()

    def interrupt(text: str, share: float) -> None:
        if share > 0.75:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path / "cut", progress=interrupt)
    assert not (tmp_path / "cut" / "checkpoint.safetensors").exists()
    steps: list[float] = []
    resumed = train(recipe, tmp_path / "cut", progress=lambda text, share: steps.append(share))
    assert steps[0] > 2 / 3, "the first two epochs are not done again"
    assert resumed.read_bytes() == whole


def test_a_finished_training_is_not_repeated_but_another_recipe_is(recipe: Recipe, tmp_path: Path) -> None:
    path = train(recipe, tmp_path)
    before = path.stat().st_mtime_ns
    assert train(recipe, tmp_path).stat().st_mtime_ns == before
    other = override(recipe, seed=9, epochs=1)
    assert train(other, tmp_path).stat().st_mtime_ns != before
    assert load_tensors(path)[1]["seed"] == 9


def test_a_diverged_training_says_so(recipe: Recipe, tmp_path: Path) -> None:
    wild = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, lr=1e30))
    with pytest.raises(DimmerError, match=r"diverged in epoch 1; lower train\.lr"):
        train(wild, tmp_path)


def test_without_weights_the_error_names_the_command(recipe: Recipe) -> None:
    with pytest.raises(DimmerError, match=r"run: python -m pipeline\.train --model tiny"):
        find_checkpoint(recipe)


def test_a_damaged_or_foreign_checkpoint_is_named(recipe: Recipe, tmp_path: Path) -> None:
    path = train(override(recipe, None, 1), tmp_path)
    wider = dataclasses.replace(
        recipe, model=dataclasses.replace(recipe.model, config=recipe.model.config.widened((4, 16)))
    )
    with pytest.raises(DimmerError, match="another network"):
        load_network(wider, path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DimmerError, match="not a Dimmer checkpoint"):
        load_network(recipe, path)


def test_shipping_copies_the_checkpoint_and_compares_with_networks_trained_alone(
    recipe: Recipe, tmp_path: Path
) -> None:
    recipe = override(recipe, None, 1)
    build = tmp_path / "build" / "tiny"
    stage.run(recipe, build, lambda text, share: None)
    stage.run(recipe, build, lambda text, share: None, alone="base")
    assert ship(recipe, build / "train", build) == shipped_checkpoint(recipe) == find_checkpoint(recipe)
    results = json.loads((recipe.path.parent / "results.json").read_text())
    assert results["networks"]["super"]["alone"] is None
    assert set(results["networks"]["base"]["alone"]) == {"val", "test"}
    assert results["networks"]["base"]["mode"] == "80.80"
    assert results["seeds"] == [1]
    assert [command.split("--seed 1 ")[1] for command in results["commands"]] == ["--alone base", "--ship"]


def narrow(recipe: Recipe) -> Recipe:
    """The same recipe with one more epoch for blocks of 4 and 2 bits."""
    config = dataclasses.replace(recipe.model.config, bits=(8, 4, 2))
    model = dataclasses.replace(recipe.model, config=config)
    return dataclasses.replace(recipe, model=model, qat=QatSection(epochs=1))


def test_narrow_widths_are_trained_after_the_float_epochs_and_start_from_their_norms(
    recipe: Recipe, tmp_path: Path
) -> None:
    checkpoint = train(narrow(recipe), tmp_path / "out")
    tensors, record = load_tensors(checkpoint)
    history = json.loads((tmp_path / "out" / "history.json").read_text())["history"]
    assert [sorted(line["val_narrow"]) for line in history] == [[], [], [], ["2", "4"]]
    assert set(record["accuracy"]) == {"super", "base", "super-4", "base-4", "super-2", "base-2"}
    norms = [tensors[f"stages.0.0.norm1.of_bits.{bits}.executed.running_mean"] for bits in (8, 4, 2)]
    assert not torch.equal(norms[0], norms[1])
    assert not torch.equal(norms[1], norms[2])


def test_narrow_widths_can_start_from_a_finished_float_training(recipe: Recipe, tmp_path: Path) -> None:
    from_scratch = train(narrow(recipe), tmp_path / "scratch")
    finished = train(recipe, tmp_path / "float")
    begun = train(narrow(recipe), tmp_path / "begun", start=finished)
    history = json.loads((tmp_path / "begun" / "history.json").read_text())["history"]
    assert len(history) == recipe.train.epochs + 1
    assert set(load_tensors(begun)[0]) == set(load_tensors(from_scratch)[0])
    longer = dataclasses.replace(narrow(recipe), train=dataclasses.replace(recipe.train, epochs=4))
    with pytest.raises(DimmerError, match="no float training of 4 epochs"):
        train(longer, tmp_path / "other", start=finished)


def test_shipping_keeps_the_float_training_that_a_narrow_one_went_on_from(recipe: Recipe, tmp_path: Path) -> None:
    folder, build = recipe.path.parent, tmp_path / "build" / "tiny"
    train(recipe, build / "train")
    ship(recipe, build / "train", build)
    before = json.loads((folder / "results.json").read_text())
    for start in (folder / "checkpoint.safetensors", folder / "float.safetensors"):
        train(narrow(recipe), tmp_path / "narrow", start=start)
        ship(narrow(recipe), tmp_path / "narrow", build, start)
        results = json.loads((folder / "results.json").read_text())
        assert results["float"] == before
        (command,) = results["commands"]
        assert command.endswith(f"--start models/{recipe.name}/float.safetensors")
        assert set(results["networks"]) == {"super", "base", "super-4", "base-4", "super-2", "base-2"}
    assert load_tensors(folder / "float.safetensors")[1]["run"]["training"] == before["training_hash"]


def test_students_learn_from_their_part_of_a_batch_and_the_super_net_from_all(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    halves = dataclasses.replace(narrow(recipe), qat=QatSection(epochs=1, share=0.5))
    trainer = Trainer(halves, None, torch.device("cpu"))
    seen: list[tuple[str, int, float]] = []
    features = trainer.network.features

    def spy(stem: Tensor, mode: Mode) -> Tensor:
        seen.append((str(mode), len(stem), float(stem.detach().sum())))
        return features(stem, mode)

    monkeypatch.setattr(trainer.network, "features", spy)
    x, labels = torch.rand(8, 1, 28, 28), torch.arange(8)
    trainer.step(x, labels, 0.0, Mode.parse("44.22"))
    (_, every, whole), (base, first, one), (sampled, last, other) = seen
    assert (every, first, last) == (8, 4, 4)
    assert (base, sampled) == (str(trainer.base), "44.22")
    assert one + other == pytest.approx(whole, rel=1e-4)


def test_narrow_training_has_a_balance_of_its_own(recipe: Recipe) -> None:
    gradients = []
    for alpha in (0.25, 0.75):
        torch.manual_seed(0)
        trainer = Trainer(
            dataclasses.replace(narrow(recipe), qat=QatSection(epochs=1, alpha=alpha)), None, torch.device("cpu")
        )
        # Only the super-net has the second block of a stage.
        trainer.step(torch.rand(8, 1, 28, 28), torch.arange(8), 0.0, Mode.parse("40.20"))
        gradients.append(dict(trainer.network.named_parameters())["stages.0.1.conv1.weight"].grad)
    assert gradients[0] is not None
    assert gradients[1] is not None
    assert torch.allclose(gradients[1], 3 * gradients[0], rtol=1e-3, atol=1e-6)


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    return {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}


def test_epochs_of_norms_change_nothing_but_the_norms_of_one_width(recipe: Recipe) -> None:
    trainer = Trainer(narrow(recipe), None, torch.device("cpu"))
    for mode in trainer.narrow_modes():
        before = {name: tensor.clone() for name, tensor in trainer.network.state_dict().items()}
        trainer.step_norms(torch.rand(8, 1, 28, 28), mode, 0.1)
        bits, skipped = str(mode)[0], "0" in str(mode)
        names = changed(before, trainer.network.state_dict())
        assert all(f".of_bits.{bits}." in name for name in names)
        # Untrained, a network this small is 0 at 2 bits.
        assert any(name.endswith("bias") for name in names) or bits == "2"
        assert any(".skipped." in name for name in names) == skipped
        assert any(".executed." in name for name in names) != skipped


def test_settled_norms_have_the_statistics_of_their_own_mode(recipe: Recipe) -> None:
    trainer = Trainer(narrow(recipe), None, torch.device("cpu"))
    data = bright_or_dark()
    for bits in (8, 4, 2):
        for norm in ("executed", "skipped"):
            trainer.network.state_dict()[f"stages.0.0.norm1.of_bits.{bits}.{norm}.running_mean"].fill_(40.0)
    before = {name: tensor.clone() for name, tensor in trainer.network.state_dict().items()}
    outcome = trainer.settle_norms([to_input(data.train.images[:64]), to_input(data.train.images[64:128])], data.val)
    assert sorted(outcome) == ["20.20", "22.22", "40.40", "44.44", "80.80", "88.88"]
    assert all(after >= was for was, after in outcome.values())
    names = changed(before, trainer.network.state_dict())
    assert names
    assert all("running" in name for name in names)
    assert not any(name.startswith("stem") for name in names), "all modes share it"


def test_epochs_of_norms_follow_the_others(recipe: Recipe, tmp_path: Path) -> None:
    longer = dataclasses.replace(narrow(recipe), qat=QatSection(epochs=1, norm_epochs=1))
    checkpoint = train(longer, tmp_path / "longer")
    history = json.loads((tmp_path / "longer" / "history.json").read_text())["history"]
    assert [line["epoch"] for line in history] == [1, 2, 3, 4, 5]
    shorter = load_tensors(train(narrow(recipe), tmp_path / "shorter"))[0]
    after = load_tensors(checkpoint)[0]
    parameters = {n for n in changed(shorter, after) if n.endswith(("weight", "bias"))}
    assert parameters
    assert all(".of_bits.4." in name or ".of_bits.2." in name for name in parameters)


def test_sampled_modes_cover_every_depth_and_width(recipe: Recipe) -> None:
    trainer = Trainer(narrow(recipe), None, torch.device("cpu"))
    rng = np.random.default_rng(0)
    modes = {str(sample_mode(trainer.network, trainer.recipe.qat, rng)) for _ in range(300)}
    assert {"44.44", "22.22", "40.40", "20.20"} <= modes
    assert any("8" in mode and "4" in mode and "2" in mode for mode in modes)


def averaged(recipe: Recipe, **settings: float) -> Recipe:
    """The recipe, narrow, with two epochs whose weights are averaged from the second on."""
    average = AverageSection(**{"epochs": 2, "lr": 0.05, "lead": 1, **settings})  # type: ignore[arg-type]
    return dataclasses.replace(narrow(recipe), average=average)


def test_averaging_ends_with_the_mean_of_the_weights_after_each_step(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    after: list[dict[str, Tensor]] = []
    add = Trainer.add_to_mean

    def spy(trainer: Trainer) -> None:
        after.append({name: p.detach().clone() for name, p in trainer.network.named_parameters()})
        add(trainer)

    monkeypatch.setattr(Trainer, "add_to_mean", spy)
    tensors, _ = load_tensors(train(averaged(recipe), tmp_path))
    assert len(after) == 70 // 16
    for name in after[0]:
        torch.testing.assert_close(tensors[name], torch.stack([step[name] for step in after]).mean(0), msg=name)


def test_the_mean_network_has_statistics_of_its_own_also_in_norms_that_modes_share(recipe: Recipe) -> None:
    trainer = Trainer(narrow(recipe), None, torch.device("cpu"))
    trainer.add_to_mean()
    trainer.network.state_dict()["stem.norm.running_mean"].fill_(40.0)
    x = to_input(bright_or_dark().train.images[:64])
    trainer.take_mean([x])
    stem = trainer.network.stem
    assert isinstance(stem, Stem)
    torch.testing.assert_close(stem.norm.running_mean, stem.conv(x).mean((0, 2, 3)))
    assert trainer.averaged == 0


def test_tuning_goes_on_from_the_mean(recipe: Recipe, tmp_path: Path) -> None:
    train(averaged(recipe, tune_epochs=1), tmp_path)
    history = json.loads((tmp_path / "history.json").read_text())["history"]
    assert [line["epoch"] for line in history] == [1, 2, 3, 4, 5, 6, 7]
    assert [line["lr"] for line in history[4:6]] == [0.05, 0.05]
    assert 0 < history[6]["lr"] < 0.01


def assert_same_bytes_when_interrupted(settings: Recipe, tmp_path: Path, at: float) -> None:
    whole = train(settings, tmp_path / "whole").read_bytes()

    def interrupt(text: str, share: float) -> None:
        if share > at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(settings, tmp_path / "cut", progress=interrupt)
    assert train(settings, tmp_path / "cut").read_bytes() == whole


@pytest.mark.parametrize("at", [0.81, 0.95])
def test_an_interrupted_averaging_ends_in_the_same_bytes(recipe: Recipe, tmp_path: Path, at: float) -> None:
    settings = averaged(recipe, epochs=3, tune_epochs=1, prune=0.5)
    assert_same_bytes_when_interrupted(settings, tmp_path, at)


def test_pruning_leaves_out_images_that_are_learnt(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[int] = []
    prune = Trainer.prune

    def spy(trainer: Trainer, order: np.ndarray, share: float, rng: np.random.Generator) -> tuple[np.ndarray, Tensor]:
        found = prune(trainer, order, share, rng)
        left.append(len(found[0]))
        return found

    monkeypatch.setattr(Trainer, "prune", spy)
    train(averaged(recipe, epochs=3, prune=0.5), tmp_path)
    assert left[0] == 70, "no loss is known yet"
    assert max(left[1:]) < 60
    with pytest.raises(DimmerError, match=r"fewer than a batch of 16; lower train\.batch or average\.prune"):
        train(averaged(recipe, epochs=3, prune=0.95), tmp_path)


def test_weights_of_images_weigh_their_gradients(recipe: Recipe) -> None:
    gradients = []
    x, labels = torch.rand(8, 1, 28, 28), torch.arange(8)
    for weights in (None, torch.ones(8), torch.full((8,), 3.0)):
        trainer = Trainer(narrow(recipe), None, torch.device("cpu"))
        trainer.step(x, labels, 0.0, Mode.parse("40.22"), weights)
        gradients.append({n: p.grad for n, p in trainer.network.named_parameters() if p.grad is not None})
    for name, plain in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], plain, rtol=1e-3, atol=1e-6, msg=name)
        torch.testing.assert_close(gradients[2][name], 3 * plain, rtol=1e-3, atol=1e-6, msg=name)


def taught(recipe: Recipe, weight: float = 0.5) -> Recipe:
    """The recipe with a teacher twice as wide, trained for one epoch."""
    return dataclasses.replace(recipe, teacher=TeacherSection(widths=(8, 16), epochs=1, weight=weight, temperature=3.0))


def test_a_teacher_is_trained_once_beside_the_trainings_that_it_serves(recipe: Recipe, tmp_path: Path) -> None:
    train(taught(recipe), tmp_path / "train")
    teacher = tmp_path / "train-teacher" / "checkpoint.safetensors"
    tensors, record = load_tensors(teacher)
    assert tensors["fc.weight"].shape == (10, 16)
    assert record["epochs"] == 1
    before = teacher.stat().st_mtime_ns
    train(taught(recipe), tmp_path / "train-alone-base", alone="base")
    assert teacher.stat().st_mtime_ns == before


def test_the_super_net_learns_from_labels_and_teacher(recipe: Recipe) -> None:
    recipe = dataclasses.replace(taught(recipe, 0.75), train=dataclasses.replace(recipe.train, weight_decay=0.0))
    teacher = build("resnet", recipe.of_teacher().model.config.alone("super"))
    trainer = Trainer(recipe, "super", torch.device("cpu"), teacher)
    x, labels = to_input(bright_or_dark().train.images[:16]), torch.arange(16) % 2
    trainer.network.train()
    trainer.step(x, labels, 0.01)

    network = Trainer(recipe, "super", torch.device("cpu")).network.train()
    logits = network(x, network.super_mode())
    told = teacher(x, teacher.super_mode()).detach()
    loss = 0.25 * torch.nn.functional.cross_entropy(logits, labels) + 0.75 * distillation(logits, told, 3.0)
    loss.backward()
    for (name, ours), theirs in zip(trainer.network.named_parameters(), network.parameters(), strict=True):
        assert ours.grad is not None, name
        assert theirs.grad is not None, name
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-3, atol=1e-5, msg=name)
    assert all(p.grad is None for p in teacher.parameters())


def polished(recipe: Recipe, epochs: int = 1) -> Recipe:
    return dataclasses.replace(narrow(recipe), polish=PolishSection(epochs=epochs, lr=0.05))


def test_a_step_of_polish_pulls_one_mode_towards_the_super_net_as_it_was(recipe: Recipe) -> None:
    trainer = Trainer(polished(recipe), None, torch.device("cpu"))
    x, mode = to_input(bright_or_dark().train.images[:64]), Mode.parse("44.44")
    trainer.freeze()
    assert trainer.frozen is not None
    before = {name: tensor.clone() for name, tensor in trainer.frozen.network.state_dict().items()}
    trainer.network.train()
    losses = [float(trainer.step_mode(x, mode, 0.02)) for _ in range(12)]
    assert losses[-1] < 0.7 * losses[0]
    assert not changed(before, trainer.frozen.network.state_dict())
    norms = changed(before, trainer.network.state_dict())
    assert any(".of_bits.4.executed." in name for name in norms)
    assert not any(".of_bits.8." in name or ".of_bits.2." in name or ".skipped." in name for name in norms)


def test_most_steps_of_polish_are_those_of_the_lowest_width(recipe: Recipe) -> None:
    trainer, rng = Trainer(polished(recipe), None, torch.device("cpu")), np.random.default_rng(0)
    modes = [str(polished_mode(trainer.network, PolishSection(lowest=0.75), rng)) for _ in range(1200)]
    share = {mode: modes.count(mode) / len(modes) for mode in set(modes)}
    assert set(share) == {"22.22", "20.20", "44.44", "40.40", "88.88", "80.80"}
    assert share["22.22"] == pytest.approx(0.5, abs=0.05)
    assert share["20.20"] == pytest.approx(0.25, abs=0.05)
    assert share["80.80"] == pytest.approx(0.0625, abs=0.03)


@pytest.mark.parametrize("at", [0.78, 0.9])
def test_an_interrupted_polish_ends_in_the_same_bytes(recipe: Recipe, tmp_path: Path, at: float) -> None:
    settings = polished(recipe, epochs=2)
    assert_same_bytes_when_interrupted(settings, tmp_path, at)


def test_networks_trained_alone_have_as_many_epochs_as_the_adaptive_one_before_its_polish(
    recipe: Recipe, tmp_path: Path
) -> None:
    settings = polished(averaged(recipe, tune_epochs=3), epochs=5)
    (alone,) = phases(dataclasses.replace(settings, average=averaged(recipe, tune_epochs=3).average), alone=True)
    assert alone.epochs == 3 + 1 + 2 + 3
    build_folder = tmp_path / "build" / "tiny"
    train(taught(polished(recipe)), build_folder / "train")
    train(taught(polished(recipe)), build_folder / "train-alone-super", alone="super")
    ship(taught(polished(recipe)), build_folder / "train", build_folder)
    results = json.loads((recipe.path.parent / "results.json").read_text())
    assert results["networks"]["super"]["alone"] is not None
    assert results["polish_epochs"] == 1
    assert results["devices"] == ["cpu"]
    assert results["teacher"]["widths"] == [8, 16]
    assert set(results["teacher"]) == {"widths", "epochs", "val", "test"}
