# SPDX-License-Identifier: Apache-2.0
"""Schedules that change mode within an inference."""

from __future__ import annotations

RANDOM_SCHEDULES = 16

SEED = 1


def switch_schedules(modes: int, positions: int, seed: int = SEED) -> list[tuple[int, ...]]:
    """Schedules that change mode within an inference: at every boundary, down and up, and at random.

    Returns:
        Nothing for a single mode or a single position.
    """
    import numpy as np

    if modes < 2 or positions < 2:
        return []
    last = modes - 1
    found = []
    for at in range(1, positions):
        found.append((0,) * at + (last,) * (positions - at))
        found.append((last,) * at + (0,) * (positions - at))
    rng = np.random.default_rng(seed)
    found += [tuple(int(m) for m in rng.integers(0, modes, positions)) for _ in range(RANDOM_SCHEDULES)]
    return list(dict.fromkeys(found))
