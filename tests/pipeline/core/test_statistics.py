# SPDX-License-Identifier: Apache-2.0
"""Statistics against published tables, and against what can be counted."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from dimmer.pipeline.core.statistics import differences, mcnemar, paired, sign_flips, t_cdf, t_quantile


@pytest.mark.parametrize(
    ("freedom", "one_sided", "two_sided"),
    # Any table of Student's t: quantiles at 0.95 and 0.975.
    [
        (1, 6.3138, 12.7062),
        (2, 2.9200, 4.3027),
        (3, 2.3534, 3.1824),
        (4, 2.1318, 2.7764),
        (7, 1.8946, 2.3646),
        (10, 1.8125, 2.2281),
        (29, 1.6991, 2.0452),
        (120, 1.6577, 1.9799),
    ],
)
def test_quantiles_are_those_of_the_tables(freedom: int, one_sided: float, two_sided: float) -> None:
    assert t_quantile(0.95, freedom) == pytest.approx(one_sided, abs=6e-5)
    assert t_quantile(0.975, freedom) == pytest.approx(two_sided, abs=6e-5)


@pytest.mark.parametrize("freedom", [1, 2, 5, 8])
def test_the_distribution_is_the_integral_of_its_density(freedom: int) -> None:
    scale = math.gamma((freedom + 1) / 2) / math.sqrt(freedom * math.pi) / math.gamma(freedom / 2)
    x = np.linspace(0, 1.7, 20_001)
    density = scale * (1 + x**2 / freedom) ** (-(freedom + 1) / 2)
    area = float(((density[1:] + density[:-1]) / 2).sum() * (x[1] - x[0]))
    assert t_cdf(1.7, freedom) == pytest.approx(0.5 + area, abs=1e-8)
    assert t_cdf(-1.7, freedom) == pytest.approx(0.5 - area, abs=1e-8)


def test_differences_over_seeds() -> None:
    """Worked by hand: mean 0.2, deviations -0.3, 0, 0.3."""
    found = differences([-0.1, 0.2, 0.5])
    assert found.count == 3
    assert found.mean == pytest.approx(0.2)
    assert found.sd == pytest.approx(0.3)
    assert found.low == pytest.approx(0.2 - 4.30265 * 0.3 / math.sqrt(3), abs=1e-5)
    assert found.high == pytest.approx(0.2 + 4.30265 * 0.3 / math.sqrt(3), abs=1e-5)
    assert found.one_sided == pytest.approx(0.2 - 2.91999 * 0.3 / math.sqrt(3), abs=1e-5)
    assert found.not_worse_by(0.3) is False
    assert found.not_worse_by(0.31) is True


def test_one_seed_has_a_mean_and_no_interval() -> None:
    found = differences([1.5])
    assert (found.mean, found.sd, found.low, found.one_sided) == (1.5, None, None, None)
    assert found.not_worse_by(0.3) is None


@pytest.mark.parametrize(
    ("better", "worse"), [(0, 0), (5, 5), (10, 2), (2, 10), (0, 6), (1, 0), (40, 22)], ids=lambda n: str(n)
)
def test_mcnemar_counts_the_tosses_of_a_coin(better: int, worse: int) -> None:
    tosses = better + worse
    tail = sum(math.comb(tosses, k) for k in range(min(better, worse) + 1)) / 2**tosses
    assert mcnemar(better, worse) == pytest.approx(min(1.0, 2 * tail))


def test_mcnemar_of_thousands_is_near_the_normal_distribution() -> None:
    z = (3120 - 2890 - 1) / math.sqrt(6010)
    assert mcnemar(3120, 2890) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=0.01)


@pytest.mark.parametrize("sums", [[3, 1, -2, 0], [1, 1, 1], [2, 2, -1, -1, 3], [0, 0], [-3, -1]], ids=str)
def test_signs_that_are_flipped_are_all_counted(sums: list[int]) -> None:
    flips = [sum(s * one for s, one in zip(signs, sums, strict=True)) for signs in product((1, -1), repeat=len(sums))]
    expected = sum(abs(one) >= abs(sum(sums)) for one in flips) / len(flips)
    assert sign_flips(np.array(sums)) == pytest.approx(expected)


@pytest.mark.parametrize(("better", "worse"), [(0, 0), (5, 5), (10, 2), (1, 0), (3120, 2890)])
def test_flipped_signs_of_one_seed_are_mcnemar_s_test(better: int, worse: int) -> None:
    sums = np.array([1] * better + [-1] * worse + [0] * 7)
    assert sign_flips(sums) == pytest.approx(mcnemar(better, worse))


def test_an_image_in_three_seeds_is_one_image() -> None:
    one = np.array([1] * 20 + [-1] * 10)
    assert sign_flips(3 * one) == pytest.approx(mcnemar(20, 10))
    assert sign_flips(3 * one) > 10 * mcnemar(60, 30)


def test_signs_of_tens_of_thousands_of_images_are_near_the_normal_distribution() -> None:
    sums = np.random.default_rng(0).integers(-3, 4, 30_000)
    sums[:120] = 3
    z = (abs(int(sums.sum())) - 0.5) / math.sqrt(float((sums**2).sum()))
    assert sign_flips(sums) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=0.02)


def test_a_paired_difference_is_narrower_than_one_of_two_samples() -> None:
    one = np.array([1.0] * 900 + [0.0] * 100)
    other = np.array([1.0] * 880 + [0.0] * 120)
    found = paired(one, other)
    assert found.value == pytest.approx(2.0)
    assert found.high - found.value == pytest.approx(found.value - found.low)
    # 20 images differ, all in one direction: the variance of a difference is 0.02 - 0.02^2.
    assert found.high - found.value == pytest.approx(196 * math.sqrt((0.02 - 0.0004) / 999), rel=1e-3)
    assert str(found).startswith("+2.00 (+1.13 to +2.87)")
