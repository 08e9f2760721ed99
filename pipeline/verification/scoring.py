# SPDX-License-Identifier: Apache-2.0
"""Outputs of the test samples scored as the data's task asks."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer.pipeline.core.scores import (
    Scores,
    scores_of_anomalies,
    scores_of_classes,
    scores_of_labels,
    scores_of_values,
)
from dimmer.pipeline.data.given_back import errors
from dimmer.pipeline.data.own import OwnData
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
    if targets.dtype == np.int8:
        assert limit is not None
        return scores_of_anomalies(errors(outputs, targets), targets[:, 0] > 0, limit, classes)
    if targets.dtype == np.uint8:
        return scores_of_labels(outputs, targets, classes)
    if not np.issubdtype(targets.dtype, np.floating):
        return scores_of_classes(outputs, targets, classes)
    assert isinstance(source, OwnData)
    facts = import_module(dataset_modules(source)[0]).prepared(source).facts
    return scores_of_values(outputs, targets, classes, facts.tolerance, source.section.units)
