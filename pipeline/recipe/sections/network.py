# SPDX-License-Identifier: Apache-2.0
"""[model]: the network and its data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from dimmer.pipeline.core.checks import OneOf, require
from dimmer.pipeline.core.stage import Json
from dimmer.pipeline.data.registry import dataset_module, dataset_shape, known_datasets
from dimmer.pipeline.networks.family import FROM_DATASET, NetworkConfig, config_keys, families, family_module


@dataclass(frozen=True)
class ModelNames:
    """The keys of [model] that every family has.

    Attributes:
        family: network family.
        dataset: name of the data set; it gives image size, channels and classes.
    """

    family: Annotated[str, OneOf(families)]
    dataset: Annotated[str, OneOf(known_datasets)]

    def __post_init__(self) -> None:
        require(self.family in families(), "family", f"must be one of {', '.join(families())}")
        require(self.dataset in known_datasets(), "dataset", f"must be one of {', '.join(known_datasets())}")

    @property
    def network_modules(self) -> tuple[str, ...]:
        """Full names of the modules of its family, which are imported by name."""
        return (family_module(self.family),)

    @property
    def modules(self) -> tuple[str, ...]:
        """Those and that of its data set."""
        return (*self.network_modules, dataset_module(self.dataset))

    def from_dataset(self) -> dict[str, int | tuple[int, int]]:
        """The fields of the network's configuration that the data set gives."""
        shape = dataset_shape(self.dataset)
        height, width, channels = shape.image_shape
        given: tuple[int | tuple[int, int], ...] = (channels, (height, width), shape.classes)
        return dict(zip(FROM_DATASET, given, strict=True))


@dataclass(frozen=True)
class ModelSection(ModelNames):
    """The network and its data set.

    Attributes:
        config: the network's configuration: the family's own keys, checked by it, and the shape of the data.
    """

    config: NetworkConfig

    def keys(self) -> dict[str, Json]:
        """The section as it is written: key -> value, defaults included."""
        own = {key: getattr(self.config, key) for key in config_keys(self.family)}
        return {"family": self.family, "dataset": self.dataset, **own}
