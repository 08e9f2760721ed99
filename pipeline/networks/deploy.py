# SPDX-License-Identifier: Apache-2.0
"""One mode of a trained network folded into plain operators, and which of its tensors share a range."""

from __future__ import annotations

from itertools import pairwise

from dimmer.calibration.batchnorm import NormStatistics
from dimmer.pipeline.modes.mode import FULL_BITS, Mode, check_mode
from dimmer.pipeline.networks.deployed import DeployedNetwork, PooledHead
from dimmer.pipeline.networks.folding import Folding, norms_of
from dimmer.pipeline.networks.joined import Heads
from dimmer.pipeline.networks.layers.quantisers import activation_step
from dimmer.pipeline.networks.network import Network
from dimmer.pipeline.networks.sites import HEAD, STEM, owner_of_range, positions


def deploy(network: Network, mode: Mode, recalibrated: NormStatistics | None = None) -> DeployedNetwork:
    """Folds one mode of a trained network.

    Args:
        recalibrated: this mode's own norm statistics, if batch-norm recalibration was kept for it.

    Raises:
        DimmerError: the mode does not fit the network, or a gamma is not positive.
    """
    config = network.config
    check_mode(mode, config.mandatory, config.skippable, config.bits)
    norms = {id(module): name for name, module in network.named_modules()}
    entry = {STEM: "input"}
    schedule = positions(mode)
    for before, position in pairwise(schedule):
        assert before.boundary is not None
        entry[position.name] = before.boundary
    parts: list[Folding] = []

    def part(name: str, skipped: bool = False, bits: int = FULL_BITS) -> Folding:
        parts.append(Folding(name, entry[name], skipped, bits, norms, recalibrated or {}))
        return parts[-1]

    flags = config.skip_flags(mode)
    begin = part(STEM, flags.stem)
    stem = network.deployed_stem(begin)
    if network.joins is not None:
        stem = network.joins.deployed(stem, begin, config.names_of("input"))
    blocks = [block.deployed(part(name, skipped, bits)) for name, block, skipped, bits in network.blocks(mode)]
    head = network.deployed_head(part(HEAD, flags.head))
    if config.split_outputs:
        assert isinstance(head, PooledHead)
        head = Heads(head, config.split_outputs, config.names_of("output"))
    variants = {fold.name: fold.variant for fold in parts}
    weights = {site: narrow for fold in parts for site, narrow in fold.weights.items()}
    tensors = {site: narrow for fold in parts for site, narrow in fold.tensors.items()}
    made = DeployedNetwork(mode, stem, blocks, head, variants, weights, tensors)
    return made.eval().requires_grad_(False)


def fixed_ranges(network: DeployedNetwork) -> dict[str, tuple[float, float]]:
    """Site -> (low, high) where the grid is known beforehand: an operator's own, or that of a narrow width, as 256
    codes of its step.

    Only the first 2^bits of these codes occur: ReLU6 cuts the rest.
    """
    return network.known_ranges() | {
        site: (0.0, 255 * activation_step(narrow.bits)) for site, narrow in network.narrow_tensors().items()
    }


def range_group(network: DeployedNetwork, site: str, apart: bool = True) -> str:
    """The name under which a site's calibration range is shared between modes.

    Block boundaries of one stage share a range in all modes (docs/architecture.md, rule 3); a tensor inside a block
    shares it with every mode that runs the block with the same norm statistics, because then multipliers and biases
    are equal and stand in flash once. Sites without a dot, those of stem and head, are common to all, so that every
    mode's output has one scale.

    Args:
        apart: modes with other norm statistics have ranges of their own within a block; else all that run it with the
            same norms have one.
    """
    site = owner_of_range(site)
    part, _, tensor = site.rpartition(".")
    if not part:
        return site
    if tensor == "out":
        return f"stream.{part.split('.')[0]}"
    variant = network.variants[part]
    return f"{site}@{variant if apart else norms_of(variant)}"
