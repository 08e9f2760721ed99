# SPDX-License-Identifier: Apache-2.0
"""Damaged and hostile files: an error that a person can act on, or code that is right; never anything else."""

from __future__ import annotations

import pytest

from tests.firmware_gen.fuzz import run


def check(count: int, seed: int, samples: int) -> None:
    outcome = run(count, seed, samples)
    assert not outcome.faults, "\n".join(outcome.faults[:20])
    assert outcome.files == count
    assert outcome.compared > 0


def test_mutated_files() -> None:
    check(400, 1, 15)


@pytest.mark.slow
def test_ten_thousand_mutated_files() -> None:
    check(10_000, 2, 400)
