# SPDX-License-Identifier: Apache-2.0
"""What the quantising of a float file leaves: an int8 `.tflite`, its ranges, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dimmer.pipeline.core.documents import load_document, save_document

RESULT = "quantised.json"
INPUTS = "inputs.bin"
"""Beside it: inputs of the user's data as the int8 file takes them, one after the other."""


@dataclass(frozen=True)
class ChosenRange:
    """The range of tensors that have one scale and zero point.

    Attributes:
        tensors: their names.
        low: smallest value that the codes can express.
        high: largest.
        method: the estimator that proposed it (`calibration.ranges.METHODS`); "fixed" where the operator has its own.
        error: mean squared error of the outputs, over their variance, with these tensors alone quantised so.
    """

    tensors: tuple[str, ...]
    low: float
    high: float
    method: str
    error: float | None


@dataclass(frozen=True)
class Cost:
    """What quantising costs: the int8 file's outputs against the float file's.

    Attributes:
        samples: that were compared.
        apart: whether none of them was seen when the ranges were chosen.
        sqnr_db: power of the outputs over that of their error, in dB.
        mean_error: mean absolute error of an output.
        largest_error: of all.
        agreement: share of the samples whose largest output is the same one, 0..1; None of a single number.
        accuracy_float: share of the samples whose largest output is their label's, before; None without labels.
        accuracy: the same after.
    """

    samples: int
    apart: bool
    sqnr_db: float
    mean_error: float
    largest_error: float
    agreement: float | None
    accuracy_float: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Quantised:
    """The content of quantised.json.

    Attributes:
        source: name of the file that it was made of.
        file: name of the int8 `.tflite` beside it.
        data: name of the file or folder that the samples are from.
        calibrated: samples that ranges were chosen by.
        inputs: samples in inputs.bin.
        ranges: in the order of execution.
        cost: on samples of the data.
    """

    source: str
    file: str
    data: str
    calibrated: int
    inputs: int
    ranges: tuple[ChosenRange, ...]
    cost: Cost

    def save(self, folder: Path) -> None:
        """Write quantised.json."""
        save_document(folder / RESULT, self)

    @classmethod
    def load(cls, folder: Path) -> Quantised:
        """Read it.

        Raises:
            DimmerError: it is missing or damaged.
        """
        return load_document(cls, folder / RESULT)

    def lines(self) -> list[str]:
        """What it costs, for people."""
        methods = [chosen.method for chosen in self.ranges]
        counts = ", ".join(f"{methods.count(name)} {name}" for name in sorted(set(methods)))
        cost = self.cost
        of_what = f"{cost.samples} {'other ' if cost.apart else 'of these '}samples"
        same = "" if cost.agreement is None else f", largest output the same in {cost.agreement:.1%}"
        lines = [
            f"{self.source} quantised: {len(methods)} ranges ({counts}) chosen on {self.calibrated} samples",
            f"outputs against float on {of_what}: {cost.sqnr_db:.1f} dB, mean error {cost.mean_error:.3g}, "
            f"largest {cost.largest_error:.3g}{same}",
        ]
        if cost.accuracy is not None and cost.accuracy_float is not None:
            lines.append(f"accuracy on {of_what}: {cost.accuracy_float:.1%} in float, {cost.accuracy:.1%} in int8")
        return lines
