# SPDX-License-Identifier: Apache-2.0
"""Checkpoints had no checksum: NaN, infinities, other types, negative variances and broadcast momenta were taken."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import load_tensors, read_network, save_tensors
from dimmer.pipeline.artifacts.gates import load_gates
from dimmer.pipeline.artifacts.sums import list_sum
from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe
from tests.damage import damages

DAMAGES = 500
Tensors = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return load_recipe("cifar10-r14")


def listed(folder: Path) -> bytes:
    """A file of the time before sums, with its line beside it."""
    path = folder / "checkpoint.safetensors"
    save_file({"w": torch.arange(600.0)}, path, {"dimmer": json.dumps({"run": {"model": "m"}})})
    list_sum(path)
    return path.read_bytes()


def with_its_own_sum(folder: Path) -> bytes:
    path = folder / "checkpoint.safetensors"
    save_tensors(path, {"w": torch.arange(600.0)}, {"run": {"model": "m"}})
    return path.read_bytes()


@pytest.mark.parametrize("make", [listed, with_its_own_sum])
def test_500_damaged_copies_are_500_lines(make: Callable[[Path], bytes], tmp_path: Path) -> None:
    whole, path = make(tmp_path), tmp_path / "checkpoint.safetensors"
    assert load_tensors(path)[1] == {"run": {"model": "m"}}
    for content in damages(whole, DAMAGES):
        path.write_bytes(content)
        with pytest.raises(DimmerError) as failure:
            load_tensors(path)
        assert str(path) in str(failure.value)
        assert "train again" in str(failure.value)


def test_every_bit_of_a_record_counts(tmp_path: Path) -> None:
    whole, path = with_its_own_sum(tmp_path), tmp_path / "checkpoint.safetensors"
    header = int.from_bytes(whole[:8], "little") + 8
    for place in range(header):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(bytes(damaged))
        with pytest.raises(DimmerError):
            load_tensors(path)


def test_a_file_without_any_sum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    save_file({"w": torch.ones(3)}, path, {"dimmer": "{}"})
    with pytest.raises(DimmerError, match=r"no checksum in it, and no line for it in SHA256SUMS beside it"):
        load_tensors(path)


def first(tensors: Tensors, ending: str) -> str:
    return next(name for name in tensors if name.endswith(ending))


def change(ending: str, edit: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Tensors], None]:
    def apply(tensors: Tensors) -> None:
        name = first(tensors, ending)
        tensors[name] = edit(tensors[name].clone())

    return apply


def drop(ending: str) -> Callable[[Tensors], None]:
    def apply(tensors: Tensors) -> None:
        del tensors[first(tensors, ending)]

    return apply


def with_value(value: float) -> Callable[[torch.Tensor], torch.Tensor]:
    def edit(tensor: torch.Tensor) -> torch.Tensor:
        tensor.view(-1)[-1] = value
        return tensor

    return edit


FAULTS: dict[str, tuple[Callable[[Tensors], None], str]] = {
    "nan": (change("conv.weight", with_value(float("nan"))), "weight holds nan; remove it"),
    "infinity": (change("bias", with_value(float("-inf"))), "bias holds -inf; remove it"),
    "infinite variance": (change("running_var", with_value(float("inf"))), "running_var holds inf; remove it"),
    "negative variance": (change("running_var", with_value(-1e-3)), "running_var is negative; remove it"),
    "negative count": (change("num_batches_tracked", with_value(-1)), "num_batches_tracked is negative; remove it"),
    "double": (
        change("conv.weight", torch.Tensor.double),
        r"weight is float64\[.*\], not float32\[.*\]\); train again",
    ),
    "half": (change("running_mean", torch.Tensor.half), r"running_mean is float16\[.*, not float32"),
    "integers": (change("conv.weight", torch.Tensor.int), r"weight is int32\[.*, not float32"),
    "flat": (change("conv.weight", torch.Tensor.flatten), r"weight is float32\[\d+\], not float32\[\d+, \d+, \d, \d\]"),
    "a channel": (change("running_var", lambda t: t[:1]), r"running_var is float32\[1\], not float32\["),
    "missing": (drop("weight"), "it lacks .*weight"),
    "too many": (lambda tensors: tensors.update(more=torch.zeros(1)), "it has more"),
    "empty": (lambda tensors: tensors.clear(), "it lacks "),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whole_files_with_other_values_are_refused(fault: str, recipe: Recipe, tmp_path: Path) -> None:
    tensors, _ = load_tensors(ROOT / "models" / "cifar10-r14" / "checkpoint.safetensors")
    edit, told = FAULTS[fault]
    edit(tensors)
    path = tmp_path / "checkpoint.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, {"dimmer": "{}"})
    list_sum(path)
    with pytest.raises(DimmerError, match=told):
        read_network(recipe.model, path, recipe.path)


@pytest.mark.parametrize("fault", ["nan", "double", "missing", "too many"])
def test_so_are_gates(fault: str, recipe: Recipe, tmp_path: Path) -> None:
    tensors, _ = load_tensors(ROOT / "models" / "cifar10-r14" / "gates.safetensors")
    edits: dict[str, Callable[[Tensors], None]] = {
        "nan": change("weight", with_value(float("nan"))),
        "double": change("weight", torch.Tensor.double),
        "missing": drop("bias"),
        "too many": lambda found: found.update(more=torch.zeros(1)),
    }
    edits[fault](tensors)
    path = tmp_path / "gates.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, {"dimmer": "{}"})
    list_sum(path)
    with pytest.raises(DimmerError, match="train"):
        load_gates(recipe, path)


def test_a_training_that_diverged_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    with pytest.raises(DimmerError, match=r"the training diverged, w holds inf: .* lower its learning rate"):
        save_tensors(path, {"w": torch.tensor([1.0, float("inf")])}, {})
    assert not list(tmp_path.iterdir())
