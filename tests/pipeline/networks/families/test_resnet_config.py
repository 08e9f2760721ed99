# SPDX-License-Identifier: Apache-2.0
"""Shape and cost of the ResNets, without a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.modes.mode import base_mode, super_mode
from dimmer.pipeline.networks.families.resnet_config import ResNetConfig
from dimmer.pipeline.networks.family import StageEntry

R14 = ResNetConfig((1, 1, 1), (1, 1, 1), (16, 32, 64), 3, (32, 32), 10)
SMALL = ResNetConfig((1, 1), (1, 1), (4, 8), 1, (8, 8), 3)


def test_r14_costs_what_the_papers_tables_say_plus_its_shortcuts() -> None:
    cost, depth = R14.cost(), ((1, 1, 1), (1, 1, 1))
    shortcuts = 16 * 32 * 16 * 16 + 32 * 64 * 8 * 8
    assert super_mode(*depth).macs(cost) == pytest.approx(26.4e6 + shortcuts, rel=0.001)
    assert base_mode(*depth).macs(cost) == pytest.approx(12.24e6 + shortcuts, rel=0.001)


def test_each_stage_but_the_first_two_enters_at_half_the_resolution() -> None:
    odd = replace(R14, image_size=(9, 7))
    assert R14.entries() == (StageEntry(16, 32 * 32), StageEntry(16, 32 * 32), StageEntry(32, 16 * 16))
    assert odd.entries() == (StageEntry(16, 9 * 7), StageEntry(16, 9 * 7), StageEntry(32, 5 * 4))


def test_wrong_configurations_name_the_key_to_change() -> None:
    wrong: list[tuple[Callable[[], object], str, str]] = [
        (lambda: ResNetConfig((1, 1), (1,), (4, 8), 1, (8, 8), 3), "skippable", "must have one entry a stage"),
        (lambda: ResNetConfig((0,), (1,), (4,), 1, (8, 8), 3), "mandatory", "must be at least 1"),
        (lambda: ResNetConfig((1, 1), (1, 1), (4, 8), 1, (8, 1), 3), "widths", "a pixel or more in the last stage"),
        (lambda: ResNetConfig((1,), (1,), (4,), 1, (8, 8), 0), "dataset", "an output or more"),
        (lambda: ResNetConfig((1,), (1,), (4,), 1, (8, 8), 3, (4, 2)), "bits", "must hold 8"),
        (lambda: SMALL.widened((4, 8, 16)), "widths", "must have one entry a stage"),
    ]
    for make, key, reason in wrong:
        with pytest.raises(InvalidKeyError, match=reason) as refused:
            make()
        assert refused.value.key == key
    with pytest.raises(DimmerError, match="'super' or 'base'"):
        SMALL.alone("middle")


@pytest.mark.parametrize("bits", [(), (4,), (8, 8), (8, 3), (8, 0)])
def test_config_refuses_other_widths(bits: tuple[int, ...]) -> None:
    with pytest.raises(DimmerError, match="bits must hold 8"):
        replace(SMALL, bits=bits)


def test_a_series_has_kernels_of_height_one() -> None:
    series, image = (ResNetConfig((1, 1), (1, 1), (4, 8), 3, size, 3) for size in ((1, 16), (16, 16)))
    assert (series.kernel, image.kernel) == ((1, 3), (3, 3))
    # Stem and head; the first stage; the second, at half the positions, with a shortcut.
    assert series.cost().fixed == 16 * 3 * 3 * 4 + 8 * 3
    assert series.cost().blocks == ((2 * 16 * 3 * 16,) * 2, (8 * (3 * 32 + 3 * 64 + 32), 2 * 8 * 3 * 64))
    assert [entry.pixels for entry in series.entries()] == [16, 16]
