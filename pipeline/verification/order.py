# SPDX-License-Identifier: Apache-2.0
"""What to verify, and by what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dimmer.firmware_gen.gates import GateSet
from dimmer.pipeline.artifacts.gates import built_gates
from dimmer.pipeline.artifacts.trained import find_checkpoint, load_network
from dimmer.pipeline.data.registry import Source
from dimmer.pipeline.networks import Network
from dimmer.pipeline.networks.gates.budget import gate_macs, gated_cost
from dimmer.pipeline.networks.gates.integer import integer_gates
from dimmer.pipeline.networks.gates.network import GatedNetwork, Gates
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.recipe.sections.gates import GatesSection
from dimmer.pipeline.recipe.sections.network import ModelSection


@dataclass(frozen=True, eq=False)
class GatedOrder:
    """The gates of a model.

    Attributes:
        gates: as the device has them.
        network: as they were trained, in front of the float network.
        budgets: that are measured, as fractions of the 8-bit super-net's cost.
        share_of_macs: multiply-accumulates of the gates, as a share of the super-net's.
    """

    gates: GateSet
    network: GatedNetwork
    budgets: tuple[float, ...]
    share_of_macs: float


@dataclass(frozen=True, eq=False)
class VerifyOrder:
    """What of a model decides its verification.

    Attributes:
        dataset: whose test images are run.
        images: of them, how many every mode must get bit for bit right.
        network: trained, for the accuracy before quantisation.
        gates: None for a model without.
    """

    dataset: Source
    images: int
    network: Network
    gates: GatedOrder | None


def order_of(recipe: Recipe, build: Path | None = None) -> VerifyOrder:
    """The order for a recipe's model.

    Args:
        build: as of `find_checkpoint`.

    Raises:
        DimmerError: there are no trained weights or gates, or those of another network.
    """
    network = load_network(recipe, find_checkpoint(recipe, build))
    gated = None
    if recipe.gates.epochs:
        trained = built_gates(recipe, build)
        gated = _gated(recipe.model, recipe.gates, network, trained)
    return VerifyOrder(recipe.source, recipe.verify.images, network, gated)


def _gated(model: ModelSection, section: GatesSection, network: Network, trained: Gates) -> GatedOrder:
    config, shape, macs = model.config, section.config(), network.cost()
    return GatedOrder(
        gates=integer_gates(trained, config),
        network=GatedNetwork(network, trained, gated_cost(config, macs, shape, section.reference_bits)).eval(),
        budgets=section.served,
        share_of_macs=gate_macs(config, shape) / network.super_mode().macs(macs),
    )
