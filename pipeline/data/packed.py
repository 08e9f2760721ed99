# SPDX-License-Identifier: Apache-2.0
"""Targets of several outputs as one array, float64[N,...], that says of itself what it holds.

Each row has, for one output after the other: its task (0 classes, 1 labels, 2 values), how many elements it has in the
network, its weight in the loss, whether it decides if a sample is right, and what is true: the number of the class, or
a number for each label or value. All of these are exact in float64, and all rows say the same but for what is true.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dimmer.pipeline.data.ends import CLASSES, LABELS, TASKS_OF_OUTPUTS, OutputSection

if TYPE_CHECKING:
    from torch import Tensor

_FACTS = 4
_DTYPES: dict[str, type[np.generic]] = {LABELS: np.uint8}


@dataclass(frozen=True)
class Head:
    """An output as rows of targets have it.

    Attributes:
        task: classes, labels or values.
        elements: of the network's outputs, those from `first` on.
        weight: of its loss.
        decides: whether it has to be right where a sample is.
        first: place of its first element among all outputs.
        at: place in a row of what is true.
    """

    task: str
    elements: int
    weight: float
    decides: bool
    first: int
    at: int

    @property
    def numbers(self) -> int:
        """In a row that say what is true."""
        return 1 if self.task == CLASSES else self.elements

    @property
    def place(self) -> slice:
        """Among all outputs."""
        return slice(self.first, self.first + self.elements)

    def truth(self, targets: NDArray[Any]) -> NDArray[Any]:
        """The output's own targets: int64[N], uint8[N,K] or float32[N,K]."""
        found = targets[:, self.at : self.at + self.numbers]
        if self.task == CLASSES:
            return found[:, 0].astype(np.int64)
        return found.astype(_DTYPES.get(self.task, np.float32))

    def truth_of_tensor(self, targets: Tensor) -> Tensor:
        """The same of a tensor float64[N,...], where it lies."""
        import torch

        found = targets[:, self.at : self.at + self.numbers]
        if self.task == CLASSES:
            return found[:, 0].to(torch.int64)
        return found.to(torch.uint8 if self.task == LABELS else torch.float32)


def is_packed(targets: NDArray[Any]) -> bool:
    """Whether targets are those of several outputs."""
    return targets.dtype == np.float64


def heads_of(row: Sequence[float]) -> tuple[Head, ...]:
    """The outputs that a row is of.

    Examples:
        >>> [(head.task, head.place, head.at) for head in heads_of([0, 3, 1, 1, 2, 2, 1, 0.5, 0, -0.25])]
        [('classes', slice(0, 3, None), 4), ('values', slice(3, 4, None), 9)]
    """
    return tuple(_heads(row))


def _heads(row: Sequence[float]) -> Iterator[Head]:
    at = first = 0
    while at < len(row):
        kind, elements, weight, decides = row[at : at + _FACTS]
        head = Head(TASKS_OF_OUTPUTS[int(kind)], int(elements), float(weight), bool(decides), first, at + _FACTS)
        yield head
        at, first = head.at + head.numbers, first + head.elements


def packed(outputs: Sequence[OutputSection], truths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of targets.

    Args:
        truths: float64[N,T], for one output after the other what is true; values in tolerances from their mean.
    """
    parts, at = [], 0
    for output in outputs:
        facts = [TASKS_OF_OUTPUTS.index(output.task), output.elements, output.weight, float(output.decides)]
        parts += [np.tile(np.asarray(facts, np.float64), (len(truths), 1)), truths[:, at : at + output.numbers]]
        at += output.numbers
    return np.concatenate(parts, 1)
