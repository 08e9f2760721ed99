"""[model]: the network and its data set."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.pipeline.data.registry import dataset_module, dataset_shape, known_datasets
from dimmer.pipeline.modes.mode import BITS, FULL_BITS
from dimmer.pipeline.networks import FAMILIES, NetworkConfig, ResNetConfig
from dimmer.pipeline.recipe.sections.checks import _require


@dataclass(frozen=True)
class ModelSection:
    """The network and its data set.

    Attributes:
        family: network family.
        dataset: name of the data set; it gives image size, channels and classes.
        mandatory: mandatory blocks of each stage.
        skippable: skippable blocks of each stage.
        widths: channels of each stage.
        bits: widths that every block can run with; 8 is one of them.
    """

    family: str
    dataset: str
    mandatory: tuple[int, ...]
    skippable: tuple[int, ...]
    widths: tuple[int, ...]
    bits: tuple[int, ...] = (FULL_BITS,)

    def __post_init__(self) -> None:
        _require(self.family in FAMILIES, "family", f"must be one of {', '.join(FAMILIES)}")
        _require(self.dataset in known_datasets(), "dataset", f"must be one of {', '.join(known_datasets())}")
        _require(len(self.mandatory) > 0 and min(self.mandatory) >= 1, "mandatory", "must be at least 1 in every stage")
        same = "must have one entry a stage, as many as mandatory"
        _require(len(self.skippable) == len(self.mandatory), "skippable", same)
        _require(min(self.skippable) >= 0, "skippable", "must not be negative")
        _require(len(self.widths) == len(self.mandatory), "widths", same)
        _require(min(self.widths) >= 1, "widths", "must be at least 1")
        known = FULL_BITS in self.bits and len(set(self.bits)) == len(self.bits) and set(self.bits) <= set(BITS) - {0}
        _require(known, "bits", "must hold 8 and may hold 4 and 2, each once")

    @property
    def modules(self) -> tuple[str, ...]:
        """Full names of the modules of its family and its data set, which are imported by name."""
        return (f"dimmer.pipeline.networks.families.{self.family}", dataset_module(self.dataset))

    def config(self) -> NetworkConfig:
        """The network's configuration."""
        shape = dataset_shape(self.dataset)
        height, width, channels = shape.image_shape
        return ResNetConfig(
            self.mandatory, self.skippable, self.widths, channels, (height, width), shape.classes, self.bits
        )
