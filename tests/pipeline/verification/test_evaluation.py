# SPDX-License-Identifier: Apache-2.0
"""A mode's scores are those that verification found, and a model is compared with the one before it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import firmware
from dimmer.pipeline.core.documents import load_document, save_document
from dimmer.pipeline.core.scores import Scores
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.verification.evaluation import Evaluated, Evaluation, evaluate
from dimmer.targets import load_target
from tests.forked import in_processes
from tests.tiny import TinyBuild, silent


def test_a_mode(tiny_converted: TinyBuild, tmp_path: Path) -> None:
    recipe, build = tiny_converted.recipe, tiny_converted.build
    firmware.run(recipe, build, load_target("host"), silent)
    name, found = evaluate(recipe, build, "80.80")
    scores, now = found.now.scores, found.now
    assert name == "80.80"
    assert scores.samples == len(load_dataset("mnist5k").test)
    assert sum(map(sum, scores.confusion)) == scores.samples
    assert scores.figures[0].value == pytest.approx(sum(scores.confusion[c][c] for c in range(10)) / scores.samples)
    assert now.worst
    assert all(worst.truth != worst.said and worst.by > 0 for worst in now.worst)
    assert [worst.by for worst in now.worst] == sorted((worst.by for worst in now.worst), reverse=True)
    # Again, nothing has changed: there is nothing to compare with.
    assert found.compared() == ""
    assert evaluate(recipe, build, "80.80")[1] == found
    # Two processes find the same.
    assert in_processes(tmp_path, 2, lambda: evaluate(recipe, build, "80.80")[1]) == [found, found]
    # A model of other weights, which had everything wrong.
    kept = build / "eval" / "80.80.json"
    wrong = np.packbits(np.zeros(scores.samples, bool)).tobytes().hex()
    save_document(kept, Evaluated(replace(now, weights="others", right=wrong), None))
    better = evaluate(recipe, build, "80.80")[1]
    assert better.last is not None
    assert f"+{100 * scores.figures[0].value:.2f} points against the last model" in better.compared()
    assert load_document(Evaluated, kept) == better
    # Of other data it says nothing.
    save_document(kept, Evaluated(replace(now, weights="others", data="others"), None))
    assert evaluate(recipe, build, "80.80")[1].last is None
    with pytest.raises(DimmerError, match=r"has no mode '70.80'; it has"):
        evaluate(recipe, build, "70.80")


def test_a_model_without_mistakes_has_no_worst() -> None:
    evaluation = Evaluation("w", "d", Scores(0, (), ()), (), "")
    assert Evaluated(evaluation, None).compared() == ""
