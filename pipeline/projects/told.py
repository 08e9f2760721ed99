# SPDX-License-Identifier: Apache-2.0
"""What somebody says of his data, and what is refused of it: an option that says nothing would be a wish unheard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from dimmer.errors import DimmerError
from dimmer.pipeline.data.own import CLASSES, VALUES
from dimmer.pipeline.data.readers.sample import split_of
from dimmer.toml import plain

GROUP_NAMES = ("group", "subject", "speaker", "session", "user", "participant", "person", "patient")
SPLIT_NAMES = ("split",)


@dataclass(frozen=True)
class Told:
    """What somebody says of his data; empty where it is to be guessed.

    Attributes:
        label: column or array with the class, or the value; several with commas between them, an output each.
        group: column or array, or regular expression, of what belongs together.
        window: time steps; 0 to guess.
        normal: the class that is normal, where anomalies are to be found; empty for another task.
        task: what the label is: classes, or values; of several labels one for each, with commas between them.
    """

    label: str = ""
    group: str = ""
    window: int = 0
    normal: str = ""
    task: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns or arrays that `label` names."""
        return tuple(filter(None, self.label.split(",")))

    def tasks(self, labels: Sequence[str]) -> tuple[str, ...]:
        """What is said of each of the labels; empty where it is to be guessed.

        Raises:
            DimmerError: there are more or fewer words than labels.
        """
        words = tuple(self.task.split(",")) if self.task else ("",) * len(labels)
        if len(words) != len(labels):
            several = f"the {len(labels)} labels {', '.join(map(plain, labels))}"
            raise DimmerError(
                f"--task {plain(self.task)}: give one word for each of {several}, with commas between them"
            )
        return words

    def check(self, data: str | None, template: str | None) -> None:
        """Refuses words that nothing would heed.

        Args:
            data: where the data lies; None or empty for none of one's own.
            template: the model of Dimmer that a recipe would begin with; None or empty where none is named.

        Raises:
            DimmerError: there are such.
        """
        if self.task and not set(self.task.split(",")) <= {CLASSES, VALUES}:
            raise DimmerError(
                f"--task {plain(self.task)}: must be {CLASSES} or {VALUES}, of several labels one for each"
            )
        if data and template:
            raise DimmerError("--model-template is not for --data, whose recipe is made for it: leave one of them out")
        said = next((field.name for field in fields(self) if getattr(self, field.name)), None)
        if said is not None and not data:
            raise DimmerError(f"--{said} is for data of your own: name its place with --data")

    def refuse(self, what: str, **ways: str) -> None:
        """Refuses what a kind of data cannot take.

        Args:
            what: the data: "a folder of images".
            ways: attribute -> what to do without it.

        Raises:
            DimmerError: one of them is told.
        """
        for name, way in ways.items():
            if getattr(self, name):
                raise DimmerError(f"--{name} {plain(str(getattr(self, name)))} is not for {what}: {way}")


def named(names: Sequence[str], wanted: Sequence[str]) -> str:
    """The first of the names that are wanted, in any case of its letters; empty for none of them."""
    lower = {name.lower(): name for name in reversed(names)}
    return next((lower[name] for name in wanted if name in lower), "")


def check_split(place: str, column: str, words: Iterable[str]) -> None:
    """Refuses a column or array that is called as splits are, and tells something else.

    Raises:
        DimmerError: one of its words is no split's.
    """
    odd = next((word for word in words if word and split_of(word) is None), None)
    if odd is not None:
        raise DimmerError(
            f"{plain(place)}: {plain(column)!r} would say which split a sample is in, and has {plain(odd)!r}, which is "
            "none of train, val and test: give it another name"
        )
