"""Shipping: a trained checkpoint and its measured results become part of the repository, in ``models/<name>/``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from dimmer.pipeline.artifacts.checkpoint import (
    GATES,
    load_tensors,
    run_id,
    shipped_checkpoint,
    shipped_gates,
    stage_folder,
    teacher_folder,
)
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.modes.mode import FULL_BITS, Mode, base_mode, super_mode
from dimmer.pipeline.networks import build as build_network
from dimmer.pipeline.recipe.recipe import Recipe

RESULTS = "results.json"
GATE_RESULTS = "gates.json"
FLOAT = "float.safetensors"


def ship(recipe: Recipe, out: Path, build: Path, start: Path | None = None) -> Path:
    """Copy a training's checkpoint beside the recipe and write ``results.json``.

    Networks trained alone are compared if they were trained under ``build`` with the same recipe, epochs and seed.

    Args:
        recipe: the model's recipe, with the seed and epochs of the training.
        out: the training's folder.
        build: ``build/<model>``.
        start: checkpoint of the float training that this one went on from. It is kept as ``float.safetensors``, and
            its results, which ``results.json`` held until now, under "float".

    Returns:
        The shipped checkpoint.

    Raises:
        DimmerError: the training has no checkpoint, or a damaged one.
    """
    source = out / "checkpoint.safetensors"
    _, record = load_tensors(source)
    network = build_network(recipe.model.family, recipe.model.config)
    cost = network.cost()
    results: dict[str, Any] = {
        "model": recipe.name,
        "dataset": recipe.model.dataset,
        "seeds": [record["seed"]],
        "epochs": record["epochs"],
        "training_hash": record["run"]["training"],
        "torch": record.get("torch", str(torch.__version__)),
        "devices": record.get("devices", ["cpu"]),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "networks": {
            name: {
                "mode": str(mode),
                "macs": mode.macs(cost),
                "bit_operations": mode.bit_operations(cost),
                "accuracy": record["accuracy"][name],
                "alone": _alone(build, name, recipe),
            }
            for name, mode in _networks(recipe).items()
        },
    }
    if recipe.qat.epochs:
        results |= {"qat_epochs": recipe.qat.epochs, "norm_epochs": recipe.qat.norm_epochs}
    if recipe.average.epochs:
        results |= {"average_epochs": recipe.average.epochs, "tune_epochs": recipe.average.tune_epochs}
    if recipe.polish.epochs:
        results["polish_epochs"] = recipe.polish.epochs
    if recipe.teacher.epochs:
        _, taught = load_tensors(teacher_folder(out) / "checkpoint.safetensors")
        settings = recipe.teacher
        results["teacher"] = {"widths": settings.widths, "epochs": settings.epochs, **taught["accuracy"]["super"]}
    shipped = shipped_checkpoint(recipe)
    last = "--ship"
    if start is not None:
        results["float"] = _float_results(shipped.with_name(RESULTS), load_tensors(start)[1])
        last += f" --start models/{recipe.name}/{FLOAT}"
        atomic_write(shipped.with_name(FLOAT), start.read_bytes())
    compared = [name for name, figures in results["networks"].items() if figures["alone"] is not None]
    # The threads are those of the training where this process did it on a CPU.
    threads = f"--threads {torch.get_num_threads()} " if results["devices"] == ["cpu"] else ""
    how = f"--model {recipe.name} {threads}--seed {record['seed']}"
    ways = [*(f"--alone {name}" for name in compared), last]
    results["commands"] = [f"python -m pipeline.train {how} {way}" for way in ways]
    atomic_write(shipped, source.read_bytes())
    atomic_write(shipped.with_name(RESULTS), json.dumps(results, indent=1) + "\n")
    return shipped


def ship_gates(recipe: Recipe, out: Path) -> Path:
    """Copy trained gates beside the recipe and write what was measured to ``gates.json``.

    Raises:
        DimmerError: there are none, or damaged ones.
    """
    _, record = load_tensors(out / GATES)
    seed = record["seed"]
    record["commands"] = [
        f"python -m pipeline.train_gates --model {recipe.name} --threads {torch.get_num_threads()} --seed {seed} --ship"
    ]
    shipped = shipped_gates(recipe)
    atomic_write(shipped, (out / GATES).read_bytes())
    atomic_write(shipped.with_name(GATE_RESULTS), json.dumps(record, indent=1) + "\n")
    return shipped


def _float_results(path: Path, start: dict[str, Any]) -> dict[str, Any]:
    """What was shipped of the float training, or what its checkpoint tells if that was never shipped."""
    hashed = start["run"]["training"]
    if path.is_file():
        before = json.loads(path.read_text())
        for known in (before, before.get("float", {})):
            if known.get("training_hash") == hashed:
                return dict(known)
    return {"training_hash": hashed, "seeds": [start["seed"]], "epochs": start["epochs"], "accuracy": start["accuracy"]}


def _networks(recipe: Recipe) -> dict[str, Mode]:
    """Super-net and base-net at every width, named as in a training's record."""
    sizes = recipe.model.config.mandatory, recipe.model.config.skippable
    return {
        name if bits == FULL_BITS else f"{name}-{bits}": make(*sizes, bits)
        for name, make in (("super", super_mode), ("base", base_mode))
        for bits in recipe.model.config.bits
    }


def _alone(build: Path, which: str, recipe: Recipe) -> dict[str, float] | None:
    """Accuracies of the network trained alone, or None if it was not, or not in the same way."""
    path = stage_folder(build, which) / "checkpoint.safetensors"
    if not path.is_file():
        return None
    _, other = load_tensors(path)
    if other["run"] != run_id(recipe, which):
        return None
    accuracy: dict[str, float] = other["accuracy"]["super"]
    return accuracy
