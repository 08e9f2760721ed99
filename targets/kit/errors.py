# SPDX-License-Identifier: Apache-2.0
"""The exception of this package."""

from __future__ import annotations

from collections.abc import Mapping

from dimmer.errors import DimmerError


class TargetError(DimmerError):
    """A one-line message: what is missing or failed on a target, and what to do."""


class OverflowedError(TargetError):
    """A program that the linker could not place.

    Attributes:
        regions: name of the region, in lower case -> bytes that are too many, None where the linker does not tell.
    """

    def __init__(self, message: str, regions: Mapping[str, int | None]) -> None:
        super().__init__(message)
        self.regions = dict(regions)
