# SPDX-License-Identifier: Apache-2.0
"""Outputs of the test samples scored as the data's task asks."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer.pipeline.core.scores import (
    OutputScores,
    Scores,
    scores_of_anomalies,
    scores_of_classes,
    scores_of_labels,
    scores_of_outputs,
    scores_of_values,
)
from dimmer.pipeline.data.given_back import errors
from dimmer.pipeline.data.own import LABELS, VALUES, OwnData
from dimmer.pipeline.data.packed import heads_of, is_packed
from dimmer.pipeline.data.registry import Source, dataset_modules


def scores_of(
    source: Source,
    outputs: NDArray[Any],
    targets: NDArray[Any],
    classes: tuple[str, ...],
    limit: float | None = None,
) -> Scores:
    """The scores that the data's task has.

    Args:
        limit: of anomalies, as validation has it.
    """
    if is_packed(targets):
        assert isinstance(source, OwnData)
        return _of_outputs(source, outputs, targets, classes)
    if targets.dtype == np.int8:
        assert limit is not None
        return scores_of_anomalies(errors(outputs, targets), targets[:, 0] > 0, limit, classes)
    if targets.dtype == np.uint8:
        return scores_of_labels(outputs, targets, classes)
    if not np.issubdtype(targets.dtype, np.floating):
        return scores_of_classes(outputs, targets, classes)
    assert isinstance(source, OwnData)
    return scores_of_values(outputs, targets, classes, _tolerances(source), source.section.units)


def _tolerances(source: OwnData) -> tuple[float, ...]:
    """Of all values, of all outputs."""
    found: tuple[float, ...] = import_module(dataset_modules(source)[0]).prepared(source).facts.tolerance
    return found


def _of_outputs(source: OwnData, outputs: NDArray[Any], targets: NDArray[Any], classes: tuple[str, ...]) -> Scores:
    from dimmer.pipeline.networks.tasks import right

    tolerances, done, found = _tolerances(source), 0, []
    for section, head in zip(source.section.outputs, heads_of(targets[0]), strict=True):
        own, truth = outputs[:, head.place], head.truth(targets)
        if section.task == VALUES:
            per_one = tolerances[done : done + section.elements]
            done += section.elements
            scores = scores_of_values(own, truth, section.classes, per_one, section.units)
        elif section.task == LABELS:
            scores = scores_of_labels(own, truth, section.classes)
        else:
            scores = scores_of_classes(own, truth, section.classes)
        found.append(OutputScores(section.name, section.task, scores.classes, scores.figures, scores.confusion))
    return scores_of_outputs(right(outputs, targets), found, classes)
