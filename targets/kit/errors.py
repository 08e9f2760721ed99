# SPDX-License-Identifier: Apache-2.0
"""The exception of this package."""

from __future__ import annotations

from dimmer.errors import DimmerError


class TargetError(DimmerError):
    """A one-line message: what is missing or failed on a target, and what to do."""
