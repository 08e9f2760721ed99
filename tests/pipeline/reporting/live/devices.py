# SPDX-License-Identifier: Apache-2.0
"""Lines of a device whose charge falls by 10 permille in each of its 100 s."""

from __future__ import annotations

import json


def lines(count: int, **more: object) -> list[str]:
    """88 until half of the charge, then 80."""
    found = []
    for step in range(count):
        charge = 1000 - 10 * step
        line = {"event": "battery", "time_s": 100 * step, "charge_permille": charge}
        found.append(json.dumps({**line, "mode": "88" if charge > 500 else "80", "class": step % 10, **more}))
    return found
