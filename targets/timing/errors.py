# SPDX-License-Identifier: Apache-2.0
"""Why there are no cycles."""

from __future__ import annotations

from dimmer.targets.kit.errors import TargetError


class NotModelledError(TargetError):
    """Cycles cannot be modelled here; the message is the reason, which stands beside the null in reports."""
