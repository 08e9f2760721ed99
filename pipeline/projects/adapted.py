# SPDX-License-Identifier: Apache-2.0
"""A network of one's own on its way into a project: found, split, checked, and told in [model]."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor, nn

from dimmer.children import run, scratch
from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import Json
from dimmer.pipeline.data.dataset import DatasetShape
from dimmer.pipeline.data.own import CLASSES, IMAGES, OWN, shape_of
from dimmer.pipeline.data.registry import dataset_names, dataset_shape
from dimmer.pipeline.networks import build
from dimmer.pipeline.networks.adapted.adaptive import Adaptive, adapt
from dimmer.pipeline.networks.adapted.same import sample_of
from dimmer.pipeline.networks.adapted.source import (
    LIBRARIES,
    build_module,
    imported_beside,
    parse_arguments,
    source_file,
)
from dimmer.pipeline.networks.adapted.split import Split, keys_of
from dimmer.pipeline.networks.adapted.weights import known_tensors, take_weights, weights_of
from dimmer.pipeline.networks.family import config_class
from dimmer.pipeline.projects.files import project_files
from dimmer.pipeline.projects.inspected import own_samples
from dimmer.pipeline.projects.told import Told
from dimmer.pipeline.projects.wanted import AdaptedModel, OwnSamples, Wanted
from dimmer.pipeline.projects.write import write_project

WEIGHTS = "original.safetensors"
"""Beside the recipe: the network's weights before training."""


@dataclass(frozen=True)
class Asked:
    """What is asked of `dimmer adapt`.

    Attributes:
        source: "torchvision:NAME", "timm:NAME" or "FILE.py:FACTORY".
        arguments: of the factory, "name=value" each.
        size: "CxHxW" of the input.
        groups: stages of a network whose blocks are all alike; None for the default.
        pretrained: whether a library fetches its weights.
        weights: a file with them; None for those that the factory gives.
        files: others that a network of the user's reads.
    """

    source: str
    arguments: tuple[str, ...]
    size: str
    groups: int | None
    pretrained: bool
    weights: Path | None
    files: tuple[Path, ...] = ()

    def beside(self) -> dict[str, Path]:
        """Name beside the recipe -> each file, but for its own, that a user's network needs.

        Raises:
            DimmerError: a file is not there.
        """
        if missing := next((path for path in self.files if not path.is_file()), None):
            raise DimmerError(f"--file {missing}: there is no such file")
        own = source_file(self.source, Path())
        home = None if own is None else own.resolve().parent
        every = (*(() if own is None else imported_beside(own)), *(path.resolve() for path in self.files))
        found: dict[str, Path] = {}
        for path in dict.fromkeys(every):
            inside = home is not None and path.is_relative_to(home)
            name = str(path.relative_to(home)) if home is not None and inside else path.name
            if name in found or name in (WEIGHTS, "recipe.toml") or (own is not None and name == own.name):
                raise DimmerError(f"{path} would be '{name}' beside the recipe, where another file lies; rename it")
            found[name] = path
        return found

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width).

        Raises:
            DimmerError: it is none.
        """
        found = re.fullmatch(r"(\d{1,4})x(\d{1,4})x(\d{1,4})", self.size)
        if found is None or "0" in found.groups():
            raise DimmerError(f"--input {self.size}: write channels x height x width, such as 3x32x32")
        channels, height, width = map(int, found.groups())
        return channels, height, width


@dataclass(frozen=True)
class Found:
    """A network that can be adaptive.

    Attributes:
        network: as it was, in eval mode.
        split: its stages.
        new: names of weights that have not been trained: the classifier's, where that had other classes.
    """

    network: nn.Module
    split: Split
    new: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """A project that was written.

    Attributes:
        table: stages and modes.
        files: that were written.
        new: names of weights that begin untrained.
        notes: what was not taken of the data, a line each.
    """

    table: str
    files: tuple[Path, ...]
    new: tuple[str, ...]
    notes: tuple[str, ...] = ()


def found_network(asked: Asked, folder: Path, classes: int | None = None) -> Found:
    """The network with its stages; its super-net is compared with it.

    Args:
        folder: from which the source's file counts.
        classes: that a library's network is built for, where no argument says so.

    Raises:
        DimmerError: it cannot be built, there is nothing to skip, or the super-net differs.
    """
    if asked.pretrained and asked.weights is not None:
        raise DimmerError("--pretrained and --weights are two sets of weights: give one of them")
    channels = asked.shape[0]
    defaults: dict[str, object] = {} if classes is None else {"num_classes": classes}
    if channels != 3:
        defaults["in_chans"] = channels
    torch.manual_seed(0)
    network = build_module(asked.source, asked.arguments, folder, defaults)
    new: tuple[str, ...] = ()
    if asked.pretrained:
        new = take_weights(network, _pretrained(asked, folder, defaults), asked.source)
    elif asked.weights is not None:
        new = take_weights(network, known_tensors(asked.weights), str(asked.weights))
    sample = sample_of(asked.shape)
    adaptive = adapt(network, sample, groups=asked.groups)
    check_same(network, adaptive, sample)
    return Found(network, adaptive.split, new)


@torch.no_grad()
def check_same(network: nn.Module, adaptive: Adaptive, sample: Tensor) -> None:
    """Whether the super-net is the network, bit for bit.

    Raises:
        DimmerError: it is not.
    """
    exact = network(sample.clone())
    if not bool(torch.isfinite(exact).all()):
        raise DimmerError("the network gives values that are not finite, of a sample of normal ones; mend its weights")
    if not torch.equal(exact, adaptive(sample.clone(), adaptive.super_mode())):
        raise DimmerError(
            "the super-net does not give what the network gives; it changes from call to call, or reads its own blocks"
        )


def _pretrained(asked: Asked, folder: Path, defaults: Mapping[str, object]) -> Mapping[str, Tensor]:
    """A library's own weights, which it fetches."""
    library = asked.source.partition(":")[0]
    if library not in LIBRARIES:
        raise DimmerError("--pretrained is for torchvision and timm; give your own weights with --weights FILE")
    key = "pretrained=True" if library == "timm" else "weights=DEFAULT"
    arguments = tuple(text for text in asked.arguments if not text.startswith("num_classes="))
    theirs = {name: value for name, value in defaults.items() if name != "num_classes"}
    return build_module(asked.source, (*arguments, key), folder, theirs).state_dict()


def model_keys(asked: Asked, found: Found, folder: Path, weights: str) -> dict[str, Json]:
    """[model] of the recipe, but for family and data set.

    Args:
        folder: the recipe's.
        weights: name of the file with the weights; empty for none.
    """
    file = source_file(asked.source, Path())
    source = asked.source
    beside = asked.beside()
    if file is not None:
        source = f"{file.name}:{asked.source.rpartition(':')[2]}"
    keys: dict[str, Json] = {
        key: list(value) if isinstance(value, tuple) else value for key, value in keys_of(found.split).items()
    }
    twins = keys.pop("outer_twins")
    return {
        "source": source,
        "arguments": list(asked.arguments),
        **({"weights": weights} if weights else {}),
        **({"files": list(beside)} if beside else {}),
        **keys,
        **({"outer_twins": True} if twins else {}),
    }


def adapted_project(
    asked: Asked, folder: Path, name: str, target: str, dataset: str | None, data: str | None, label: str
) -> Written:
    """Writes a project whose model is an adapted network; its weights and file lie beside the recipe.

    Raises:
        DimmerError: as `found_network`; or the data is not there, or does not fit the input; or a file is there
            already, and other.
    """
    home = folder / "models" / name
    if data is not None and dataset is not None:
        raise DimmerError("give --data or --dataset, not both")
    own = _own(asked, data, label, home)
    if own is None and (dataset not in dataset_names() or dataset == OWN):
        known = ", ".join(other for other in dataset_names() if other != OWN)
        raise DimmerError(f"give --data PLACE, or --dataset with one of {known}")
    shape = shape_of(own.section, own.heard) if own is not None else dataset_shape(str(dataset))
    _check_input(asked, shape)
    found = found_network(asked, Path(), shape.classes)
    check_classes(found.network, asked, shape.classes)
    check_runs(asked, found, shape)
    keys = model_keys(asked, found, home, WEIGHTS)
    pretrained = asked.pretrained or asked.weights is not None
    model = AdaptedModel(keys, "" if own is not None else str(dataset), pretrained, asked.source)
    files = project_files(Wanted(name, target=target, own=own, adapted=model))
    copies, weights = asked.beside(), weights_of(found.network)
    if (file := source_file(asked.source, Path())) is not None:
        copies = {file.name: file, **copies}
        _check_copies(asked, copies, weights)
    contents = {WEIGHTS: weights, **{own_name: path.read_bytes() for own_name, path in copies.items()}}
    beside = {PurePosixPath("models", name, own_name): content for own_name, content in contents.items()}
    # The last file makes the folder a project.
    written = write_project(folder, {**beside, **files})
    notes = () if own is None else own.notes
    return Written(found.split.table(), tuple(written), found.new, notes)


_ALONE = """
import sys
from pathlib import Path
from dimmer.errors import DimmerError
from dimmer.pipeline.networks.adapted.source import build_module
from dimmer.pipeline.networks.adapted.weights import load_weights
try:
    load_weights(build_module(sys.argv[1], sys.argv[3:], Path(sys.argv[2]).parent), Path(sys.argv[2]))
except DimmerError as error:
    sys.exit(str(error))
"""


def _check_copies(asked: Asked, copies: Mapping[str, Path], weights: bytes) -> None:
    """Whether the network can be built of what lies beside the recipe alone, by a process that knows nothing else and
    runs in an empty folder: builds run anywhere.
    """
    file = next(iter(copies))
    with scratch() as made, scratch() as empty:
        for name, path in copies.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_bytes(path.read_bytes())
        (made / WEIGHTS).write_bytes(weights)
        source = f"{file}:{asked.source.rpartition(':')[2]}"
        done = run([sys.executable, "-c", _ALONE, source, str(made / WEIGHTS), *asked.arguments], cwd=empty)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise DimmerError(
            f"{copies[file]} cannot be built where the project would have its copy ({said}); let it import what lies "
            f"in its folder alone, name with --file what it reads, and find that beside __file__, not where it runs"
        )


def check_runs(asked: Asked, found: Found, shape: DatasetShape) -> None:
    """Whether devices have operators for all modes of the network, and would compute the same, before anybody trains.

    Raises:
        DimmerError: they have not, or would not, with the place, and what to do.
    """
    height, width, channels = shape.image_shape
    whole: dict[str, object] = {
        **keys_of(found.split),
        "in_channels": channels,
        "image_size": (height, width),
        "classes": shape.classes,
        "source": asked.source,
        "arguments": asked.arguments,
    }
    try:
        build("adapted", config_class("adapted")(**whole))
    except DimmerError as error:
        raise DimmerError(
            f"no device runs this: {error}. dimmer.adapt in Python trains most such networks all the same; those with "
            "attention that devices run are the families vit, cct and swin"
        ) from error


@torch.no_grad()
def check_classes(network: nn.Module, asked: Asked, classes: int) -> None:
    """Whether the network has as many outputs as the data has classes.

    Raises:
        DimmerError: it has not.
    """
    made = network(sample_of(asked.shape))
    if tuple(made.shape) != (1, classes):
        have = parse_arguments(asked.arguments) or "no arguments"
        raise DimmerError(
            f"{asked.source} with {have} gives {tuple(made.shape)}, the data has {classes} classes; give --argument "
            f"with its number of classes"
        )


def _own(asked: Asked, data: str | None, label: str, home: Path) -> OwnSamples | None:
    told = Told(label)
    told.check(data, None)
    if data is None:
        return None
    found = own_samples(data, told, home)
    section = found.section
    if section.task != CLASSES:
        raise DimmerError(f"{data} has values; an adapted network learns classes")
    if section.kind == IMAGES:
        channels, height, width = asked.shape
        section = dataclasses.replace(section, size=(height, width), colour="grey" if channels == 1 else "rgb")
    return dataclasses.replace(found, section=section)


def _check_input(asked: Asked, shape: DatasetShape) -> None:
    height, width, channels = shape.image_shape
    if asked.shape != (channels, height, width):
        raise DimmerError(f"--input {asked.size}: the data has {channels}x{height}x{width}; give that")
