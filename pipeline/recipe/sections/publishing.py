# SPDX-License-Identifier: Apache-2.0
"""[calibration], [selection], [verify]: from a trained network to published modes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from dimmer.pipeline.core.checks import MOST_IMAGES, OneOf, bounded, require

METHODS = ("minmax", "percentile", "mse", "entropy")


@dataclass(frozen=True)
class CalibrationSection:
    """Ranges of the activations.

    Attributes:
        images: training images whose activations are observed.
        percentile: of the percentile method, in percent.
        methods: range estimators to try; for each tensor the one that disturbs the logits least is kept.
        recalibrate_bn: give each mixed depth pattern batch-norm statistics of its own.
        bn_images: training images for those statistics.
        share_bn: modes share those of a norm that differ by at most this: means by a mean square over channels in
            standard deviations, variances by that of the logarithms of the deviations' ratio; and all modes that run a
            block share the ranges within it. They cost flash once then. 0: each mode has its own.
    """

    images: int = 256
    percentile: float = 99.99
    methods: Annotated[tuple[str, ...], OneOf(METHODS)] = METHODS
    recalibrate_bn: bool = True
    bn_images: int = 2000
    share_bn: float = 0.0

    def __post_init__(self) -> None:
        bounded(self.images, 1, MOST_IMAGES, "images")
        require(50 < self.percentile <= 100, "percentile", "must be over 50 and at most 100")
        known = bool(self.methods) and set(self.methods) <= set(METHODS)
        require(known, "methods", f"must name at least one of {', '.join(METHODS)}")
        bounded(self.bn_images, 2, MOST_IMAGES, "bn_images")
        require(0 <= self.share_bn <= 1, "share_bn", "must be 0 to 1")


@dataclass(frozen=True)
class SelectionSection:
    """Which modes are published: super-net, base-net, and of the others those that `calibration.selection` keeps.

    Attributes:
        force: modes to publish whatever their accuracy, as written (``88.80.80``); "all" for all depth patterns at
            every width.
        search: modes with mixed widths, found by sensitivity, that are looked at where there is more than one width.
        limit: at most this many modes are published; forced ones, super-net and base-net always.
        images: training images for the search.
    """

    force: tuple[str, ...] = ()
    search: int = 8
    limit: int = 12
    images: int = 512

    def __post_init__(self) -> None:
        bounded(self.search, 0, 10_000, "search")
        require(2 <= self.limit <= 32, "limit", "must be 2 to 32")
        bounded(self.images, 1, MOST_IMAGES, "images")


@dataclass(frozen=True)
class VerifySection:
    """What every mode must get bit for bit right.

    Attributes:
        images: test images that are compared.
    """

    images: int = 100

    def __post_init__(self) -> None:
        bounded(self.images, 1, MOST_IMAGES, "images")
