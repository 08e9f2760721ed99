# SPDX-License-Identifier: Apache-2.0
"""Several inputs and outputs of a network of one's own data: [[data.inputs]] and [[data.outputs]] of a recipe.

A sample of several inputs is kept as one: the elements of its inputs behind each other, in the recipe's order, each
[H,W,C]; so are the outputs of a network. That is how the generated C has them, too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from dimmer.pipeline.core.checks import OneOf, bounded, require

MOST_ENDS = 16
MOST_SIDE, MOST_STEPS, MOST_NAMES = 2048, 1 << 20, 4096
TASKS_OF_OUTPUTS = ("classes", "labels", "values")
CLASSES, LABELS, VALUES = TASKS_OF_OUTPUTS
_TAKEN = frozenset({"input", "stem", "pool", "logits"})
"""Names that tensors have already."""
_OF_INPUTS = ("conv", "mean", "out", "sum")
"""What the tensors of an input are called behind its name (`dimmer.pipeline.networks.joined`)."""


@dataclass(frozen=True)
class InputSection:
    """One of several inputs: an array of that name gives it.

    Attributes:
        name: of the array, of the tensor and in C.
        size: of an image: height and width.
        window: of a series in time: its steps. With neither, an input is a vector: a value for each of channels.
        channels: names of what an image has a pixel, a series a step, or a vector at all.
    """

    name: str
    channels: tuple[str, ...]
    size: tuple[int, ...] = ()
    window: int = 0

    def __post_init__(self) -> None:
        _check_name(self.name)
        several = 1 <= len(self.channels) <= MOST_NAMES and len(set(self.channels)) == len(self.channels)
        require(several, "channels", f"must name 1 to {MOST_NAMES:,} channels, each once")
        require(len(self.size) in (0, 2), "size", "must be height and width")
        for side in self.size:
            bounded(side, 1, MOST_SIDE, "size")
        bounded(self.window, 0, MOST_STEPS, "window")
        require(not (self.size and self.window), "window", "must be 0 where size says that it is an image")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels; of a series height is 1, of a vector width, too."""
        height, width = self.size or (1, self.window or 1)
        return height, width, len(self.channels)

    @property
    def elements(self) -> int:
        """Of a sample."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class OutputSection:
    """One of several outputs.

    Attributes:
        name: of the tensor, in C and in reports.
        task: classes, one of them a sample; labels, none or several of them; values, numbers.
        classes: names of the classes, of the labels, or of the values.
        label: column or array with the class, or with each label or value; the output's name where it is left out.
        units: of each value, for header and report.
        tolerance: of each value: how far from the truth, in its own unit, still counts as right; a quarter of the
            standard deviation in training where it is left out.
        weight: of its loss in the sum that training makes small.
        decides: whether a sample counts as right only where this output is; by the share of those modes are compared.
    """

    name: str
    classes: tuple[str, ...] = ()
    task: Annotated[str, OneOf(TASKS_OF_OUTPUTS)] = CLASSES
    label: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    tolerance: tuple[float, ...] = ()
    weight: float = 1.0
    decides: bool = True

    def __post_init__(self) -> None:
        _check_name(self.name)
        known = ", ".join(TASKS_OF_OUTPUTS)
        require(
            self.task in TASKS_OF_OUTPUTS, "task", f"must be one of {known}; anomaly is for a network of one output"
        )
        if not self.classes and self.task == VALUES:
            object.__setattr__(self, "classes", (self.name,))
        least = 2 if self.task == CLASSES else 1
        count = len(self.classes)
        each = least <= count <= MOST_NAMES and len(set(self.classes)) == count
        require(each, "classes", f"must hold {least} to {MOST_NAMES:,} names, each once")
        plain = all(name.strip() and name.isprintable() and len(name) <= 200 for name in self.classes)
        require(plain, "classes", "must hold names that can be printed on a line")
        if not self.label:
            object.__setattr__(self, "label", (self.name,) if self.numbers == 1 else self.classes)
        require(len(self.label) == self.numbers, "label", f"must be {self.numbers} columns or arrays")
        allowed = (0, count) if self.task == VALUES else (0,)
        require(len(self.units) in allowed, "units", "must be one for each value")
        require(len(self.tolerance) in allowed, "tolerance", "must be one for each value")
        for tolerance in self.tolerance:
            bounded(tolerance, 0, 1e30, "tolerance", over=True)
        bounded(self.weight, 0, 1e6, "weight", over=True)

    @property
    def numbers(self) -> int:
        """Of columns or arrays that say what is true: one with the class, else one for each label or value."""
        return 1 if self.task == CLASSES else len(self.classes)

    @property
    def elements(self) -> int:
        """Of the network: one for each class, label or value."""
        return len(self.classes)


def check_inputs(inputs: Sequence[InputSection]) -> None:
    """Refuses inputs that are no two, of one name, or called as a tensor within the network.

    Raises:
        InvalidKeyError: they are.
    """
    names = {one.name for one in inputs}
    require(2 <= len(inputs) <= MOST_ENDS, "inputs", f"must be 2 to {MOST_ENDS}; one is what [data] itself describes")
    require(len(names) == len(inputs), "inputs", "must have a name each")
    _check_tensors(names, _within_inputs(inputs), "inputs")


def check_outputs(outputs: Sequence[OutputSection], inputs: Sequence[InputSection]) -> None:
    """Refuses outputs that are no two, of one name, called as a tensor within the network, or none of which decides.

    Raises:
        InvalidKeyError: they are.
    """
    names = {one.name for one in outputs}
    require(2 <= len(outputs) <= MOST_ENDS, "outputs", f"must be 2 to {MOST_ENDS}; one is what [data] itself describes")
    apart = len(names) == len(outputs) and not names & {one.name for one in inputs}
    require(apart, "outputs", "must have a name each, other than those of inputs")
    of_outputs = {f"out_{name}" for name in names}
    _check_tensors(names, _within_inputs(inputs) | of_outputs, "outputs")
    _check_tensors({one.name for one in inputs}, of_outputs, "outputs")
    require(any(one.decides for one in outputs), "outputs", "must have one that decides")


def _within_inputs(inputs: Sequence[InputSection]) -> set[str]:
    return {f"{one.name}_{what}" for one in inputs for what in _OF_INPUTS}


def _check_tensors(names: set[str], within: set[str], key: str) -> None:
    """Refuses names that tensors of the branches of inputs, or of the layers of outputs, have."""
    taken = ", ".join(sorted(names & within))
    require(not taken, key, f"must have names other than {taken}, which a tensor within the network has")


def _check_name(name: str) -> None:
    fits = re.fullmatch(r"[A-Za-z]\w{0,39}", name, re.ASCII) is not None and name not in _TAKEN
    taken = ", ".join(sorted(_TAKEN))
    require(fits, "name", f"must be a letter and up to 39 letters, digits and _, and none of {taken}")
