# SPDX-License-Identifier: Apache-2.0
"""What calibration leaves: modes, ranges, norm statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import bad_value
from dimmer.pipeline.core.documents import load_document, save_document
from dimmer.pipeline.core.stage import atomic_write

if TYPE_CHECKING:
    from torch import Tensor

    from dimmer.calibration.batchnorm import NormStatistics

RESULT = "calibration.json"
STATISTICS = "statistics.safetensors"


def calibration_folder(build: Path) -> Path:
    """Where the stage writes, under ``build/<model>``."""
    return build / "calibrate"


@dataclass(frozen=True)
class SiteFigures:
    """One tensor of a quantised mode.

    Attributes:
        group: whose range it has; a key of `Calibration.groups`.
        sqnr_db: signal over quantisation error, dB, with the errors of all tensors before it.
        clipped: share of the values outside the range, 0..1.
    """

    group: str
    sqnr_db: float
    clipped: float


@dataclass(frozen=True)
class CalibratedMode:
    """A candidate, published or not.

    Attributes:
        macs: multiply-accumulates of one inference.
        bit_operations: sum of MACs x weight bits x activation bits.
        recalibrated: whether it has norm statistics of its own.
        accuracy_as_trained: in float with the trained statistics; accuracies are shares of the validation images.
        accuracy_float: in float with the statistics that it has now.
        accuracy: quantised, simulated.
        loss: mean cross-entropy, quantised.
        kept: whether the recipe publishes it whatever its accuracy.
        dominated_by: the mode that makes it useless, if one does.
        reason: why it is published or dropped, for people.
        sites: by name, in the order in which they are computed.
        right: the validation images that it classifies rightly, quantised: hexadecimal, eight images a byte, the first
            one highest; empty where an earlier version did not keep them.
    """

    name: str
    macs: int
    bit_operations: int
    recalibrated: bool
    accuracy_as_trained: float
    accuracy_float: float
    accuracy: float
    loss: float
    published: bool
    kept: bool
    dominated_by: str | None
    reason: str
    sites: Mapping[str, SiteFigures]
    right: str = ""


@dataclass(frozen=True)
class RangeGroup:
    """A range and the sites that share it.

    Attributes:
        low, high: real values.
        method: the estimator that proposed it; "fixed" where it is given.
        logit_error: estimator -> mean squared error of the logits with its proposal.
        modes: that have such a site, by name.
    """

    low: float
    high: float
    method: str
    logit_error: Mapping[str, float]
    modes: tuple[str, ...]


@dataclass(frozen=True)
class Calibration:
    """The content of calibration.json.

    Attributes:
        validation_images: how many the accuracies are of.
        modes: every candidate, by falling bit-operations.
        groups: name -> range.
    """

    model: str
    validation_images: int
    modes: tuple[CalibratedMode, ...]
    groups: Mapping[str, RangeGroup]

    @property
    def published(self) -> tuple[str, ...]:
        """Names of the published modes, the most expensive first: their order is their id on the device."""
        modes = [mode for mode in self.modes if mode.published]
        return tuple(mode.name for mode in sorted(modes, key=lambda mode: -mode.bit_operations))

    def mode(self, name: str) -> CalibratedMode:
        """One candidate.

        Raises:
            DimmerError: it was not calibrated.
        """
        for mode in self.modes:
            if mode.name == name:
                return mode
        raise DimmerError(f"mode {name} was not calibrated; build {self.model} again")

    def right(self, names: Sequence[str]) -> dict[str, npt.NDArray[np.bool_]] | None:
        """Mode -> bool[validation images], which ones it classifies rightly; None where one mode does not tell."""
        found = {}
        for name in names:
            packed = np.frombuffer(bytes.fromhex(self.mode(name).right), np.uint8)
            found[name] = np.unpackbits(packed)[: self.validation_images].astype(bool)
        return found if all(len(images) == self.validation_images for images in found.values()) else None

    def ranges(self, name: str) -> dict[str, tuple[float, float]]:
        """Site -> (low, high) of one mode."""
        groups = {site: self.groups[figures.group] for site, figures in self.mode(name).sites.items()}
        return {site: (group.low, group.high) for site, group in groups.items()}

    def save(self, folder: Path) -> None:
        """Write calibration.json."""
        save_document(folder / RESULT, self)

    @classmethod
    def load(cls, folder: Path) -> Calibration:
        """Read it.

        Raises:
            DimmerError: it is missing or damaged.
        """
        return load_document(cls, folder / RESULT)


@dataclass(frozen=True, eq=False)
class Statistics:
    """Norm statistics of the recalibrated modes, statistics.safetensors: `<mode>/<norm>/mean` and `.../var`.

    Attributes:
        modes: mode -> norm -> (mean float32[C], variance float32[C]).
    """

    modes: Mapping[str, NormStatistics]

    def of(self, mode: str) -> NormStatistics:
        """Those of one mode; empty where it has none of its own."""
        return self.modes.get(mode, {})

    def save(self, folder: Path) -> None:
        """Write statistics.safetensors."""
        from safetensors.torch import save

        tensors = {}
        for mode, norms in self.modes.items():
            for norm, (mean, var) in norms.items():
                # Modes may share statistics; tensors of one safetensors file may not share memory.
                tensors[f"{mode}/{norm}/mean"], tensors[f"{mode}/{norm}/var"] = mean.clone(), var.clone()
        atomic_write(folder / STATISTICS, save(tensors))

    @classmethod
    def load(cls, folder: Path) -> Statistics:
        """Read it.

        Raises:
            DimmerError: it is missing or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        path = folder / STATISTICS
        found: dict[str, dict[str, tuple[Tensor, Tensor]]] = {}
        try:
            saved = load_file(path)
            for key in sorted(saved):
                mode, norm, part = key.split("/")
                if part == "mean":
                    found.setdefault(mode, {})[norm] = (saved[key], saved[f"{mode}/{norm}/var"])
            if fault := bad_value(saved):
                raise ValueError(fault)
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise DimmerError(f"{path} cannot be read ({error}): remove {folder} and build again") from error
        return cls(found)
