# SPDX-License-Identifier: Apache-2.0
"""How a step among others tells how far it is."""

from __future__ import annotations

from dimmer.pipeline.core.progress import part


def test_a_step_goes_from_its_own_share_of_the_whole_to_the_next() -> None:
    told: list[tuple[str, float]] = []
    progress = part(lambda text, share: told.append((text, share)), 0.25, 0.75)
    progress("begins", 0.0)
    progress("is half done", 0.5)
    progress("ends", 1.0)
    assert told == [("begins", 0.25), ("is half done", 0.5), ("ends", 0.75)]
