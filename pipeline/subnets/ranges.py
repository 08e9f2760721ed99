# SPDX-License-Identifier: Apache-2.0
"""Second step of a calibration: one range for each group of tensors, over all modes that share it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from dimmer.calibration.assign import Choice, Settings, assign_ranges
from dimmer.calibration.ranges import Range
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.data.encoding import INPUT_OFFSET, INPUT_SCALE
from dimmer.pipeline.networks.deploy import fixed_ranges, range_group
from dimmer.pipeline.recipe.sections.publishing import CalibrationSection
from dimmer.pipeline.subnets.images import CalibrationImages
from dimmer.pipeline.subnets.norms import Subnet


@dataclass(frozen=True)
class Ranges:
    """The ranges of all modes.

    Attributes:
        choices: group -> its range, how it was found, and the (mode, site) pairs that have it.
    """

    choices: Mapping[str, Choice]

    def of(self, mode: str) -> dict[str, Range]:
        """Site -> range of one mode."""
        return {site: choice.range for choice in self.choices.values() for name, site in choice.members if name == mode}

    def groups(self, mode: str) -> dict[str, str]:
        """Site -> group of one mode."""
        return {site: group for group, choice in self.choices.items() for name, site in choice.members if name == mode}


def choose_ranges(
    subnets: Sequence[Subnet], settings: CalibrationSection, images: CalibrationImages, progress: Progress
) -> Ranges:
    """Gives every group of sites the range of the estimator that disturbs the logits least.

    Where modes share norm statistics, ranges within a block are common to all modes that run it with the same twin:
    with ranges of its own a mode's biases and multipliers would be its own, whatever its statistics. Modes that were
    trained as they are then decide, and lose nothing by the others, whose values lie near theirs.
    """
    group_of = partial(range_group, apart=not settings.share_bn)
    networks = {subnet.name: subnet.network for subnet in subnets}
    deciding = {subnet.name for subnet in subnets if not (settings.share_bn and subnet.mixed)}
    # The input's codes are its pixels.
    fixed = {"input": Range((0 - INPUT_OFFSET) * INPUT_SCALE, (255 - INPUT_OFFSET) * INPUT_SCALE)}
    for network in networks.values():
        fixed |= {group_of(network, site): Range(*ends) for site, ends in fixed_ranges(network).items()}
    choices = assign_ranges(
        networks,
        lambda name, site: group_of(networks[name], site),
        images.observed,
        images.probe,
        Settings(settings.methods, settings.percentile, fixed),
        progress,
        deciding.__contains__,
    )
    return Ranges(choices)
