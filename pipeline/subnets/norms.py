"""Batch-norm statistics of a mode's own."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from dimmer.pipeline.modes.mode import Mode
    from dimmer.pipeline.networks import Network


BATCH = 128


def _own_statistics(
    network: Network, mode: Mode, images: torch.Tensor
) -> Mapping[str, tuple[torch.Tensor, torch.Tensor]]:
    from dimmer.calibration.batchnorm import recalibrated

    whole = len(images) // BATCH * BATCH or len(images)
    batches = images[:whole].split(BATCH)
    return recalibrated(network, lambda x: network(x, mode), batches, trained_prefix(network, mode))


def trained_prefix(network: Network, mode: Mode) -> set[str]:
    """Names of the modules with which a mode begins just as a trained one does.

    They see the same there, so that statistics of its own would only cost flash: stem, and the first blocks that
    super-net or base-net at some width executes with the same bits and the same norms.
    """
    from dimmer.pipeline.modes.mode import base_mode, super_mode

    config = network.config
    own = list(network.blocks(mode))
    longest = 0
    for make in (super_mode, base_mode):
        for bits in config.bits:
            trained = network.blocks(make(config.mandatory, config.skippable, bits))
            pairs = zip(own, trained, strict=False)
            longest = max(longest, sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)))
    begun = (network.stem, *(executed.block for executed in own[:longest]))
    inside = {id(module) for part in begun for module in part.modules()}
    return {name for name, module in network.named_modules() if id(module) in inside}
