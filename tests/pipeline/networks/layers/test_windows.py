# SPDX-License-Identifier: Apache-2.0
"""Attention within windows: each is a little image, and shifted ones do not see around the edges."""

import torch
from torch import Tensor, nn

from dimmer.pipeline.networks.layers.attention import attend
from dimmer.pipeline.networks.layers.windows import Windows


def run(pattern: Windows, x: Tensor) -> Tensor:
    y = pattern.before(x)
    made: Tensor = pattern.behind(pattern(y, y, y))
    return made


def test_each_window_is_an_image_of_its_own() -> None:
    pattern, x = Windows(2, 3, 0, (6, 3)), torch.randn(2, 4, 6, 3)
    nn.init.zeros_(pattern.table)
    parts = [attend(part, part, part, 2) for part in (x[:, :, :3], x[:, :, 3:])]
    torch.testing.assert_close(run(pattern, x), torch.cat(parts, 2))


def test_shifted_windows_do_not_see_around_the_edges() -> None:
    # Small ones: nobody's attention is another's alone.
    pattern, x = Windows(1, 4, 2, (8, 8)), 0.1 * torch.randn(1, 2, 8, 8)
    changed = x.clone()
    changed[:, :, 0, 0] += 1.0
    with torch.no_grad():
        moved = (run(pattern, changed) - run(pattern, x)).abs().amax(1)[0]
    # The corner's window holds 2 x 2 positions of the image; others of its rolled window see next to nothing of it.
    assert bool((moved[:2, :2] > 1e-3).all())
    moved[:2, :2] = 0
    assert float(moved.max()) < 1e-4


def test_what_is_learnt_of_a_way_is_that_ways_alone() -> None:
    pattern, x = Windows(1, 2, 0, (2, 2)), torch.zeros(1, 1, 2, 2)
    x[0, 0, 1, 1] = 1.0
    with torch.no_grad():
        pattern.table.zero_()
        before = run(pattern, x)
        # The way from the last position to the first: one up, one left.
        pattern.table[0, 2 * 3 + 2] = 4.0
        after = run(pattern, x)
    changed = (after - before).abs()[0, 0] > 1e-3
    assert changed.tolist() == [[False, False], [False, True]]
