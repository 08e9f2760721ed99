# SPDX-License-Identifier: Apache-2.0
"""Which modes learn in a step."""

from dataclasses import replace

import numpy as np
import pytest

from dimmer.pipeline.recipe.sections.training import PolishSection
from dimmer.pipeline.training.sampling import polished_mode, sample_modes
from tests.pipeline.training.small import narrow, small_settings, with_config


def test_sampled_modes_cover_every_depth_and_width() -> None:
    settings = narrow(small_settings())
    network, rng = settings.untrained(), np.random.default_rng(0)
    modes = {str(*sample_modes(network, settings.qat, rng)) for _ in range(300)}
    assert {"44.44", "22.22", "40.40", "20.20"} <= modes
    assert any("8" in mode and "4" in mode and "2" in mode for mode in modes)


def test_pairs_of_different_bits_are_sampled_and_the_lowest_width_is_the_cheapest() -> None:
    settings = narrow(small_settings())
    settings = replace(settings, model=with_config(settings.model, bits=(8, 48, 28, 24)))
    network, rng = settings.untrained(), np.random.default_rng(0)
    modes = {str(*sample_modes(network, settings.qat, rng)) for _ in range(300)}
    assert {"cc.cc", "bb.bb", "aa.aa", "a0.a0"} <= modes
    polished = [str(polished_mode(network, PolishSection(lowest=0.75), rng)) for _ in range(400)]
    assert polished.count("aa.aa") / len(polished) == pytest.approx(0.5, abs=0.1)


def test_most_steps_of_polish_are_those_of_the_lowest_width() -> None:
    network, rng = narrow(small_settings()).untrained(), np.random.default_rng(0)
    modes = [str(polished_mode(network, PolishSection(lowest=0.75), rng)) for _ in range(1200)]
    share = {mode: modes.count(mode) / len(modes) for mode in set(modes)}
    assert set(share) == {"22.22", "20.20", "44.44", "40.40", "88.88", "80.80"}
    assert share["22.22"] == pytest.approx(0.5, abs=0.05)
    assert share["20.20"] == pytest.approx(0.25, abs=0.05)
    assert share["80.80"] == pytest.approx(0.0625, abs=0.03)


def test_of_two_sampled_modes_one_is_uniform_and_one_mixed() -> None:
    settings = narrow(small_settings())
    network, rng = settings.untrained(), np.random.default_rng(0)
    pairs = [sample_modes(network, replace(settings.qat, sampled=2), rng) for _ in range(200)]
    assert {str(uniform) for uniform, _ in pairs} == {"44.44", "22.22", "40.40", "20.20"}
    mixed = {str(mode) for _, mode in pairs}
    assert any("8" in mode and "4" in mode and "2" in mode for mode in mixed)
    assert len(mixed) > 20


def test_a_share_of_polish_is_for_mixed_widths() -> None:
    network, rng = narrow(small_settings()).untrained(), np.random.default_rng(0)
    modes = [polished_mode(network, PolishSection(lowest=1.0, mixed=0.25), rng) for _ in range(800)]
    mixed = [mode for mode in modes if str(mode) not in ("22.22", "20.20")]
    assert len(mixed) / len(modes) == pytest.approx(0.24, abs=0.04)
    assert any("8" in str(mode) and "4" in str(mode) for mode in mixed)
