# SPDX-License-Identifier: Apache-2.0
"""The exception of this library."""

from __future__ import annotations

from dimmer.errors import DimmerError


class CalibrationError(DimmerError):
    """A one-line message: what is wrong with the tensors that were given, and what to do."""
