# SPDX-License-Identifier: Apache-2.0
"""What the model of the NPU cannot do."""

from __future__ import annotations

from dimmer.errors import DimmerError


class NpuModelError(DimmerError):
    """A command stream that the model of the NPU cannot run, and why, in one line."""
