# SPDX-License-Identifier: Apache-2.0
"""An adapted network: one of torchvision's, timm's or the user's own, cut at its residual blocks.

Stages, skips and norms as `dimmer.adapt` makes them; training, calibration and export see stem, blocks and head, as of
any family. Norms between two stages belong to the second one and have twins, too; those of stem and head where
`outer_twins` says so.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, fx, nn

from dimmer.errors import DimmerError
from dimmer.pipeline.modes.mode import FULL_BITS, Mode
from dimmer.pipeline.networks.adapted.cut import cut, trace
from dimmer.pipeline.networks.adapted.deployed import DeployedAdaptedBlock, DeployedPart, deployed_part
from dimmer.pipeline.networks.adapted.probe import count_macs, probe
from dimmer.pipeline.networks.adapted.same import check_same, sample_of
from dimmer.pipeline.networks.adapted.signs import negative_norm, positive_gammas
from dimmer.pipeline.networks.adapted.source import build_module
from dimmer.pipeline.networks.adapted.split import keys_of, make_split
from dimmer.pipeline.networks.adapted.twins import give_twins, put, set_state
from dimmer.pipeline.networks.families.adapted_config import AdaptedConfig
from dimmer.pipeline.networks.family import SkipFlags
from dimmer.pipeline.networks.folding import Folding
from dimmer.pipeline.networks.layers.blocks import parameters_in_force
from dimmer.pipeline.networks.network import Block, Network


class AdaptedBlock(Block):
    """A module of the user's, and what lies in front of it.

    Args:
        lead: from the block before to this one; None where nothing is between.
        body: the module.
        skip_aware: true for a mandatory block of a stage that can be skipped: all norms have twins.
    """

    def __init__(self, lead: nn.Module | None, body: nn.Module, skip_aware: bool) -> None:
        super().__init__()
        self.lead = lead
        self.body = body
        if skip_aware:
            give_twins(self)

    def forward(self, x: Tensor, skipped: bool, bits: int = FULL_BITS) -> Tensor:
        """The stream -> the stream; ``bits`` are 8."""
        set_state(self, skipped)
        made: Tensor = self.body(x if self.lead is None else self.lead(x))
        return made

    def deployed(self, fold: Folding) -> DeployedAdaptedBlock:
        """The block as plain operators."""
        set_state(self, fold.skipped)
        pieces = [] if self.lead is None else [(self.lead, graph_of(self.lead))]
        pieces.append((self.body, trace(self.body, (), f"block {fold.name}")))
        return DeployedAdaptedBlock(fold.name, deployed_part(pieces, fold, fold.site("out")))


class AdaptedNetwork(Network):
    """A user's network whose depth is chosen call by call.

    Attributes:
        stem: empty where its norms have twins.
        entry: then it is this; else None.
        head: behind the last block.

    Args:
        network: the user's, where it is not to be built; changed in place, and not compared with anything.

    Raises:
        DimmerError: it cannot be built, is no chain of its blocks, has other blocks or costs than its configuration
            says, or computes something else than the user's.
    """

    config: AdaptedConfig

    def __init__(self, config: AdaptedConfig, network: nn.Module | None = None) -> None:
        super().__init__()
        self.config = config
        given = network is not None
        if network is None:
            network = original(config)
            check_network(config)
        chain = cut(network, config.blocks)
        self.stem = nn.Identity() if config.twins_outside else chain.stem
        self.entry = chain.stem if config.twins_outside else None
        stages = []
        for (first, last), mandatory, skippable in zip(
            config.bounds(), config.mandatory, config.skippable, strict=True
        ):
            pieces = zip(chain.leads[first:last], chain.blocks[first:last], strict=True)
            stages.append(
                nn.ModuleList(
                    AdaptedBlock(lead, body, b < mandatory and skippable > 0) for b, (lead, body) in enumerate(pieces)
                )
            )
        self.stages = nn.ModuleList(stages)
        self.head = chain.head
        if self.entry is not None:
            give_twins(self.entry)
            give_twins(self.head)
        positive_gammas(self)
        if not given and (left := negative_norm(self)) is not None:
            raise DimmerError(
                f"{config.source}: norm '{left}' has negative gammas, and it or its convolution is used in several "
                f"places, so that their sign cannot go into the weights; give every place its own"
            )

    def enter(self, stream: Tensor, flags: SkipFlags) -> Tensor:
        """The stem with the norms in force, where they have twins.

        A stream that several networks of a step share is copied, since a block of the user's may begin in place.
        """
        if self.entry is None:
            return stream.clone() if stream.requires_grad else stream
        set_state(self.entry, flags.stem)
        made: Tensor = self.entry(stream)
        return made

    def leave(self, stream: Tensor, flags: SkipFlags) -> Tensor:
        """The stream, for a head with the norms in force."""
        set_state(self.head, flags.head)
        return stream

    def beginning(self) -> tuple[nn.Module, ...]:
        """The stem, wherever it is."""
        return (self.stem if self.entry is None else self.entry,)

    def parameters_in(self, mode: Mode) -> set[Tensor]:
        """As every network's; of stem and head the norms in force."""
        used, flags = super().parameters_in(mode), self.config.skip_flags(mode)
        for part, skipped in zip((*self.beginning(), self.head), (flags.stem, flags.head), strict=True):
            used.difference_update(part.parameters())
            used.update(parameters_in_force(part, skipped, FULL_BITS))
        return used

    def classify(self, stream: Tensor) -> Tensor:
        """What the user's network does behind its last block."""
        logits: Tensor = self.head(stream)
        return logits

    def deployed_stem(self, fold: Folding) -> DeployedPart:
        """As plain operators."""
        (stem,) = self.beginning()
        set_state(stem, fold.skipped)
        return deployed_part([(stem, graph_of(stem))], fold, "stem")

    def deployed_head(self, fold: Folding) -> DeployedPart:
        """As plain operators."""
        set_state(self.head, fold.skipped)
        return deployed_part([(self.head, graph_of(self.head))], fold, "logits")


def graph_of(module: nn.Module) -> fx.Graph:
    """The graph of a piece between blocks."""
    if not isinstance(module, fx.GraphModule):
        raise DimmerError(
            "the network begins or ends with a residual block; put a convolution before, a head behind it"
        )
    return module.graph


def original(config: AdaptedConfig) -> nn.Module:
    """The user's network in eval mode, with its weights; without the blocks that it lacks when it is trained alone.

    Raises:
        DimmerError: it cannot be built, or the weights are another network's.
    """
    defaults = {"num_classes": config.classes}
    if config.in_channels != 3:
        defaults["in_chans"] = config.in_channels
    network = build_module(config.source, config.arguments, Path(config.folder), defaults)
    if config.weights:
        from dimmer.pipeline.networks.adapted.weights import load_weights

        load_weights(network, Path(config.folder) / config.weights)
    missing = [name for name in (*config.blocks, *config.without) if name not in dict(network.named_modules())]
    if missing:
        raise DimmerError(f"{config.source} has no module '{missing[0]}'; run dimmer adapt again, or mend model.blocks")
    for name in config.without:
        put(network, name, nn.Identity())
    return network.eval()


_CHECKED: set[tuple[AdaptedConfig, tuple[tuple[str, str], ...]]] = set()


def check_network(config: AdaptedConfig) -> None:
    """Whether the user's network is as the recipe says, and the adaptive one and what is deployed of it computes the
    same; looked at once in a process.

    Raises:
        DimmerError: it is not, with the place.
    """
    key = config, tuple(config.contents().items())
    if key in _CHECKED:
        return
    sample = sample_of((config.in_channels, *config.image_size))
    # Whoever builds the network afterwards draws the numbers that he would have drawn.
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        network = original(config)
        _check_told(config, network, sample)
        skippable = [
            name
            for (first, last), mandatory in zip(config.bounds(), config.mandatory, strict=True)
            for name in config.blocks[first + mandatory : last]
        ]

        def name_of(block: str) -> str:
            stage, number = map(int, block.split("."))
            return config.blocks[config.bounds()[stage][0] + number]

        try:
            check_same(network, lambda own: AdaptedNetwork(config, own), skippable, sample, name_of)
        except DimmerError as error:
            raise DimmerError(f"{config.source}: {error}") from error
    _CHECKED.add(key)


def _check_told(config: AdaptedConfig, network: nn.Module, sample: Tensor) -> None:
    """Whether classes, blocks, shapes and costs are what the recipe says."""
    made = network(sample.clone())
    if tuple(made.shape) != (1, config.classes):
        raise DimmerError(
            f"{config.source} gives {tuple(made.shape)} for an image, the data set has {config.classes} classes; "
            f"give the factory's argument in model.arguments"
        )
    macs, told = count_macs(lambda: network(sample.clone())), config.fixed_macs + sum(config.macs)
    if macs != told:
        raise DimmerError(
            f"{config.source} takes {macs} multiply-accumulates, model.macs and model.fixed_macs add up to {told}; run "
            f"dimmer adapt again, or mend them"
        )
    if not any(config.skippable):
        return
    runs = [config.blocks[first:last] for first, last in config.bounds()]
    try:
        found = keys_of(make_split(probe(network, sample), runs, config.mandatory))
    except DimmerError as error:
        raise DimmerError(f"{config.source}: {error}; run dimmer adapt again, or mend model.blocks") from error
    for key in ("widths", "macs", "fixed_macs", "entry_channels", "entry_pixels"):
        if found[key] != getattr(config, key):
            raise DimmerError(
                f"model.{key} is {_listed(getattr(config, key))}, and of {config.source} it is {_listed(found[key])}; "
                f"run dimmer adapt again, or write that"
            )


def _listed(value: object) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


NETWORK = AdaptedNetwork
