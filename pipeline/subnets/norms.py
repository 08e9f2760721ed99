# SPDX-License-Identifier: Apache-2.0
"""First step of a calibration: which modes get batch-norm statistics of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import takewhile

from torch import Tensor

from dimmer.calibration.batchnorm import NormStatistics, load_statistics, recalibrated, shared, statistics
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.modes.mode import Mode, base_mode, super_mode
from dimmer.pipeline.networks import Network, NetworkConfig
from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.networks.deployed import DeployedNetwork
from dimmer.pipeline.networks.measure import Measured, measure
from dimmer.pipeline.recipe.sections.publishing import CalibrationSection
from dimmer.pipeline.subnets.images import BATCH, CalibrationImages
from dimmer.processes import spread


@dataclass(frozen=True, eq=False)
class Subnet:
    """A candidate mode as it would be deployed.

    Attributes:
        mixed: whether it runs with norms that learnt beside others.
        network: its statistics folded in.
        statistics: other than those that it was trained with, by norm; empty where it keeps all of these.
        as_trained: in float on the validation images, with the statistics of the training.
        measured: the same of `network`.
    """

    mode: Mode
    mixed: bool
    network: DeployedNetwork
    statistics: NormStatistics
    as_trained: Measured
    measured: Measured

    @property
    def name(self) -> str:
        """The mode as it is written."""
        return str(self.mode)


def choose_norms(
    network: Network,
    modes: Sequence[Mode],
    calibration: CalibrationSection,
    images: CalibrationImages,
    progress: Progress,
) -> tuple[Subnet, ...]:
    """Deploys every mode, with statistics of its own where its validation accuracy gains by them.

    Args:
        network: trained; left as it was found.
        calibration: whether mixed depths and mixed widths may get statistics of their own at all, and which of them
            share these.
    """
    mixed = [mode for mode in modes if is_mixed(mode, network.config)]
    statistics_of: dict[Mode, NormStatistics] = {}
    if calibration.recalibrate_bn:
        own_of = spread(mixed, lambda mode: own_statistics(network, mode, images.norms))
        statistics_of = dict(zip(mixed, own_of, strict=True))
    if calibration.share_bn:
        statistics_of = shared(statistics_of, statistics(network), calibration.share_bn)
    found = []
    for done, mode in enumerate(modes):
        progress(f"norms of {mode}", done / len(modes))
        plain = deploy(network, mode)
        trained = measure(plain, images.validation, images.labels)
        subnet = Subnet(mode, mode in mixed, plain, {}, trained, trained)
        own = statistics_of.get(mode)
        if own:
            with_own = deploy(network, mode, own)
            again = measure(with_own, images.validation, images.labels)
            if again.accuracy > trained.accuracy:
                subnet = replace(subnet, network=with_own, statistics=own, measured=again)
        found.append(subnet)
    return tuple(found)


@dataclass(frozen=True)
class Preferred:
    """What validation says of a mode's statistics.

    Attributes:
        as_trained: accuracy with those of the training, in the unit of whoever measured it.
        chosen: accuracy with those that are better.
        own: whether these are the mode's own.
    """

    as_trained: float
    chosen: float
    own: bool


@contextmanager
def preferred(network: Network, mode: Mode, norms: Tensor, accuracy: Callable[[], float]) -> Iterator[Preferred]:
    """Within, the network has a mode's own norm statistics, where the mode is mixed and its accuracy gains by them.

    Args:
        network: left as it was found.
        norms: float32[N,C,H,W], where the network is: what statistics are measured on.
        accuracy: of the network as it is, in this mode, on validation images.
    """
    before, trained = statistics(network), accuracy()
    if not is_mixed(mode, network.config):
        yield Preferred(trained, trained, False)
        return
    try:
        load_statistics(network, own_statistics(network, mode, norms))
        again = accuracy()
        if again <= trained:
            load_statistics(network, before)
        yield Preferred(trained, max(again, trained), again > trained)
    finally:
        load_statistics(network, before)


def is_mixed(mode: Mode, config: NetworkConfig) -> bool:
    """Whether a mode runs with norms that learnt beside others: its depth or its width differs from block to block,
    or it skips a part of a sub-path.

    The norms of a width saw all modes that were sampled in training, and end with the statistics of super-net and
    base-net with all blocks at that width (`pipeline.training.widths`).
    """
    widths = {bits for stage in mode.blocks for bits in stage if bits}
    # A stage without a sub-path is always executed, in the base-net too.
    flags = {flag for flag, count in zip(mode.skip_flags(config.mandatory), config.skippable, strict=True) if count}
    sub_paths = [stage[m:] for stage, m in zip(mode.blocks, config.mandatory, strict=True)]
    partly = any(0 < sum(map(bool, blocks)) < len(blocks) for blocks in sub_paths)
    return len(widths) > 1 or len(flags) > 1 or partly


def own_statistics(network: Network, mode: Mode, images: Tensor) -> NormStatistics:
    """Norm statistics that a mode sees behind the blocks with which a trained one begins.

    Args:
        images: float32[N,C,H,W]; a rest smaller than a batch is left out.
    """
    whole = len(images) // BATCH * BATCH or len(images)
    batches = images[:whole].split(BATCH)
    return recalibrated(network, lambda x: network(x, mode), batches, trained_prefix(network, mode))


def trained_prefix(network: Network, mode: Mode) -> set[str]:
    """Names of the modules with which a mode begins just as a trained one does.

    They see the same there, so that statistics of its own would only cost flash: stem, and the first blocks that
    super-net or base-net at some width executes with the same bits and the same norms.
    """
    config = network.config
    own = list(network.blocks(mode))
    longest = 0
    for make in (super_mode, base_mode):
        for bits in config.bits:
            trained = network.blocks(make(config.mandatory, config.skippable, bits))
            pairs = zip(own, trained, strict=False)
            longest = max(longest, sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)))
    begun = (*network.beginning(), *(executed.block for executed in own[:longest]))
    inside = {id(module) for part in begun for module in part.modules()}
    return {name for name, module in network.named_modules() if id(module) in inside}
