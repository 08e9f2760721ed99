# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.data.admitted import divided, refuse_missing, target_of, without_copies
from dimmer.pipeline.data.own import DataSection
from dimmer.pipeline.data.readers.sample import NOTHING, Problem, Sample
from tests.own_data import own

SECTION = DataSection("images", "d", classes=("dark", "light"), val=0.2, test=0.2)


def sample(name: str, label: str = "dark", split: str = "") -> Sample:
    return Sample(name, NOTHING, (label,), "", split)


def test_copies_stay_in_the_split_that_judges_and_contradictions_go() -> None:
    rows = [sample("a", split="train"), sample("b", split="test"), sample("c"), sample("d", "light")]
    targets = [np.asarray(n) for n in (0, 0, 0, 1)]
    problems: list[Problem] = []
    assert without_copies(rows, ["x", "x", "y", "y"], targets, problems) == [1]
    assert [str(problem) for problem in problems] == [
        "a: is the same as b, which is in test",
        "d: is the same as c, with another label",
        "c: is the same as d, with another label",
    ]


def test_each_sample_goes_to_one_split(tmp_path: Path) -> None:
    rows = [sample(str(n), ("dark", "light")[n % 2]) for n in range(20)]
    digests = [f"{n:02x}" for n in range(20)]
    found = divided(own(tmp_path, SECTION), rows, digests, range(20), [])
    assert sorted(n for numbers in found.values() for n in numbers) == list(range(20))
    assert {name: len(numbers) for name, numbers in found.items()} == {"train": 12, "val": 4, "test": 4}


def test_a_class_that_is_unknown_or_missing_is_told(tmp_path: Path) -> None:
    problems: list[Problem] = []
    assert target_of(own(tmp_path, SECTION), sample("a", "grey"), problems) is None
    assert str(problems[0]) == "a: its class 'grey' is not in [data] classes"
    with pytest.raises(DimmerError, match="class 'light' has no sample in training"):
        refuse_missing(own(tmp_path, SECTION), [0, 0])
