# SPDX-License-Identifier: Apache-2.0
"""Third step of a calibration: what quantising does to each mode, simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dimmer.calibration.observe import SiteError, quantising_tap, site_errors
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.networks.measure import Measured, measure
from dimmer.pipeline.subnets.images import CalibrationImages
from dimmer.pipeline.subnets.norms import Subnet
from dimmer.pipeline.subnets.ranges import Ranges
from dimmer.processes import spread


@dataclass(frozen=True, eq=False)
class Quantised:
    """A mode with all its tensors in int8.

    Attributes:
        measured: on the validation images.
        errors: site -> how far it is from the same one in float, on the first batch that was observed.
    """

    measured: Measured
    errors: Mapping[str, SiteError]


def measure_quantised(
    subnets: Sequence[Subnet], ranges: Ranges, images: CalibrationImages, progress: Progress
) -> tuple[Quantised, ...]:
    """Runs every mode with its tensors quantised; in the order given."""
    found = []
    for done, subnet in enumerate(subnets):
        progress(f"accuracy of {subnet.name}", done / len(subnets))
        network, tap = subnet.network, quantising_tap(ranges.of(subnet.name))
        found.append(measure(lambda x, net=network, tap=tap: net(x, tap), images.validation, images.labels))  # type: ignore[misc]
    errors = spread(subnets, lambda one: site_errors(one.network, images.observed[:1], ranges.of(one.name)))
    return tuple(map(Quantised, found, errors))
