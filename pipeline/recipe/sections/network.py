# SPDX-License-Identifier: Apache-2.0
"""[model]: the network and its data set."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from dimmer.pipeline.core.checks import OneOf, require
from dimmer.pipeline.core.stage import Json
from dimmer.pipeline.data.dataset import DatasetShape
from dimmer.pipeline.data.heard import Heard
from dimmer.pipeline.data.own import OWN, DataSection, OwnData, shape_of
from dimmer.pipeline.data.registry import Source, dataset_modules, dataset_names, dataset_shape
from dimmer.pipeline.networks.family import (
    FROM_DATASET,
    NO_KEYS,
    SEVERAL,
    NetworkConfig,
    can_join,
    config_keys,
    families,
    family_module,
)


@dataclass(frozen=True)
class ModelNames:
    """The keys of [model] that every family has.

    Attributes:
        family: network family.
        dataset: name of the data set, which gives image size, channels and classes; "own" for that of [data].
    """

    family: Annotated[str, OneOf(families)]
    dataset: Annotated[str, OneOf(dataset_names)]

    def __post_init__(self) -> None:
        require(self.family in families(), "family", f"must be one of {', '.join(families())}")
        require(self.dataset in dataset_names(), "dataset", f"must be one of {', '.join(dataset_names())}")

    @property
    def network_modules(self) -> tuple[str, ...]:
        """Full names of the modules of its family, which are imported by name."""
        return (family_module(self.family),)

    def from_dataset(self, data: DataSection, heard: Heard | None = None) -> dict[str, object]:
        """The fields of the network's configuration that the data set gives, a known one or that of [data].

        Raises:
            InvalidKeyError: it has several inputs or outputs, which the family's networks cannot have.
        """
        shape: DatasetShape = shape_of(data, heard) if self.dataset == OWN else dataset_shape(self.dataset)
        # Of several inputs the first one's positions are those of the stream.
        height, width, channels = (*shape.inputs, shape.image_shape)[0]
        found: dict[str, object] = dict(zip(FROM_DATASET, (channels, (height, width), shape.classes), strict=True))
        able = can_join(self.family)
        joining = ", ".join(name for name in families() if can_join(name))
        several = bool(shape.inputs or shape.outputs)
        require(able or not several, "family", f"has one input and one output; of several take {joining}")
        if not several:
            return found
        names = (tuple(one.name for one in ends) for ends in (data.inputs, data.outputs))
        return found | dict(zip(SEVERAL, (shape.inputs, shape.outputs, *names), strict=True))


@dataclass(frozen=True)
class ModelSection(ModelNames):
    """The network and its data set.

    Attributes:
        config: the network's configuration: the family's own keys, checked by it, and the shape of the data.
        data: the section [data]; without a kind where the data set is a known one.
        heard: what [features] makes of recordings; None where the network sees samples.
        most: samples of training, and half as many of validation and test, of data of one's own; 0 for all.
        sounds: whether training changes the windows of recordings, and wants them beside what is heard of them.
    """

    config: NetworkConfig
    data: DataSection = DataSection()  # noqa: RUF009 (frozen)
    heard: Heard | None = None
    most: int = 0
    sounds: bool = False

    def described(self) -> dict[str, Json]:
        """All that the network is, as JSON values; what is the data's own is part of its hash (`dataset_hash`)."""
        made = dataclasses.asdict(self)
        del made["data"], made["heard"], made["most"], made["sounds"]
        for key in NO_KEYS:
            made["config"].pop(key, None)
        for key in (*SEVERAL, "files"):
            # What has none of these was described before there were any.
            if not made["config"].get(key):
                made["config"].pop(key, None)
        if contents := self.config.contents():
            made["files"] = dict(contents)
        return made

    def source(self, recipe: Path) -> Source:
        """Where the samples are from.

        Args:
            recipe: the file, from whose folder paths count.
        """
        if self.dataset != OWN:
            return self.dataset
        return OwnData(self.data, recipe.parent, self.heard, self.most, self.sounds)

    def modules(self, recipe: Path) -> tuple[str, ...]:
        """The modules of its family and those of its data set; argument as of `source`."""
        return (*self.network_modules, *self.config.modules(), *dataset_modules(self.source(recipe)))

    def keys(self) -> dict[str, Json]:
        """The section as it is written: key -> value, defaults included."""
        own = {key: getattr(self.config, key) for key in config_keys(self.family)}
        return {"family": self.family, "dataset": self.dataset, **own}
