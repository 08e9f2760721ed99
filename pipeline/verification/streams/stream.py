# SPDX-License-Identifier: Apache-2.0
"""The recordings of a split as one stream of samples, with the events in it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from dimmer.firmware_gen.features.tune import Event
from dimmer.pipeline.data.own import OwnData
from dimmer.pipeline.data.registry import dataset_modules

NOT_EVENTS = frozenset(
    {"background", "noise", "silence", "unknown", "other", "others", "nothing", "none", "normal", "rest", "idle"}
)
"""Names of classes, without the _ around them, that are no events where nobody says which are."""


@dataclass(frozen=True, eq=False)
class Stream:
    """Windows of recordings behind each other.

    Attributes:
        samples: int16[windows * window].
        labels: number of each window's class.
        window: samples of each.
    """

    samples: NDArray[np.int16]
    labels: tuple[int, ...]
    window: int

    def events(self, wanted: Collection[int], first: int, step: int, count: int) -> tuple[Event, ...]:
        """The windows of wanted classes, as the inferences that see half of one or more.

        Args:
            first: samples that the first inference has heard.
            step: samples from one inference to the next.
            count: of inferences.
        """
        found = []
        for number, label in enumerate(self.labels):
            if label not in wanted:
                continue
            begin, half = number * self.window, self.window // 2
            # An inference has heard the samples from `end - first` to `end`.
            early, late = begin + half - first, begin + half
            inferences = range(max(0, -(-early // step)), min(count, late // step + 1))
            if len(inferences):
                found.append(Event(label, inferences.start, inferences.stop))
        return tuple(found)


def events_among(classes: tuple[str, ...]) -> tuple[int, ...]:
    """Numbers of the classes that are events, by their names.

    Examples:
        >>> events_among(("_silence_", "yes", "no"))
        (1, 2)
    """
    return tuple(n for n, name in enumerate(classes) if name.strip("_ ").lower() not in NOT_EVENTS)


def stream_of(data: OwnData, split: str, seed: int = 0) -> Stream:
    """The windows of a split, in an order of the seed.

    Raises:
        DimmerError: the data cannot be read.
    """
    facts = import_module(dataset_modules(data)[0]).prepared(data).facts
    wanted = frozenset(facts.names[split])
    windows, labels = [], []
    for sample in import_module(data.reader).samples(data, []):
        if sample.name in wanted:
            windows.append(sample.array.ravel())
            labels.append(data.section.classes.index(sample.labels[0]))
    order = np.random.default_rng(seed).permutation(len(windows))
    return Stream(np.concatenate([windows[n] for n in order]), tuple(labels[n] for n in order), data.section.window)
