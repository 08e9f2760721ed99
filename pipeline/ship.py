"""Shipping: a trained checkpoint and its measured results become part of the repository, in ``models/<name>/``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from pipeline.checkpoint import load_tensors, shipped_checkpoint, stage_folder
from pipeline.networks import build as build_network
from pipeline.recipe import Recipe
from pipeline.stage import atomic_write

RESULTS = "results.json"


def ship(recipe: Recipe, out: Path, build: Path) -> Path:
    """Copy a training's checkpoint beside the recipe and write ``results.json``.

    Networks trained alone are compared if they were trained under ``build`` with the same recipe, epochs and seed.

    Args:
        recipe: the model's recipe, with the seed and epochs of the training.
        out: the training's folder.
        build: ``build/<model>``.

    Returns:
        The shipped checkpoint.

    Raises:
        DimmerError: the training has no checkpoint, or a damaged one.
    """
    source = out / "checkpoint.safetensors"
    _, record = load_tensors(source)
    network = build_network(recipe.model.family, recipe.model.config())
    cost = network.cost()
    macs = {"super": recipe.super_mode().macs(cost), "base": recipe.base_mode().macs(cost)}
    results: dict[str, Any] = {
        "model": recipe.name,
        "dataset": recipe.model.dataset,
        "seeds": [record["seed"]],
        "epochs": record["epochs"],
        "training_hash": record["run"]["training"],
        "torch": str(torch.__version__),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "networks": {
            name: {
                "mode": str(recipe.super_mode() if name == "super" else recipe.base_mode()),
                "macs": macs[name],
                "accuracy": record["accuracy"][name],
                "alone": _alone(build, name, record),
            }
            for name in ("super", "base")
        },
        "commands": [
            f"python -m pipeline.train --model {recipe.name} --threads 1 --seed {record['seed']}{alone}"
            for alone in (" --alone super", " --alone base", " --ship")
        ],
    }
    shipped = shipped_checkpoint(recipe)
    atomic_write(shipped, source.read_bytes())
    atomic_write(shipped.with_name(RESULTS), json.dumps(results, indent=1) + "\n")
    return shipped


def _alone(build: Path, which: str, record: dict[str, Any]) -> dict[str, float] | None:
    """Accuracies of the network trained alone, or None if it was not, or not in the same way."""
    path = stage_folder(build, which) / "checkpoint.safetensors"
    if not path.is_file():
        return None
    _, other = load_tensors(path)
    if other["run"] != {**record["run"], "alone": which}:
        return None
    accuracy: dict[str, float] = other["accuracy"]["super"]
    return accuracy
