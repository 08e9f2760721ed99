# SPDX-License-Identifier: Apache-2.0
"""What verification leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.core.documents import load_document, save_document
from dimmer.pipeline.core.scores import Scores
from dimmer.pipeline.networks.gates.agreement import Agreement

RESULT = "verify.json"
COMPARED = "compare.json"


def verify_folder(build: Path, target: str) -> Path:
    """Where the stage writes, under ``build/<model>``."""
    return build / target / "verify"


def comparison_folder(build: Path, target: str) -> Path:
    """Where the comparison of a target's firmware, and of the host's, with the interpreter is."""
    return build / target / "compare"


def accuracy_folder(build: Path) -> Path:
    """Where the accuracies of all modes of the host's firmware are, a file for each."""
    return build / "host" / "accuracy"


@dataclass(frozen=True)
class ModeAccuracy:
    """A mode on the whole test set.

    Attributes:
        name: of the mode.
        accuracy: share of the images that the C runtime classifies right, on the host.
        accuracy_float: the same of the mode before quantisation.
        scores: of the outputs, with intervals.
    """

    name: str
    accuracy: float
    accuracy_float: float
    scores: Scores

    def save(self, folder: Path) -> None:
        """Write <mode>.json."""
        save_document(folder / f"{self.name}.json", self)

    @classmethod
    def load(cls, folder: Path, mode: str) -> ModeAccuracy:
        """Read it.

        Raises:
            DimmerError: it is missing or damaged.
        """
        return load_document(cls, folder / f"{mode}.json")


@dataclass(frozen=True)
class Outcome:
    """What came of comparing one backend with the TFLite interpreter.

    Attributes:
        samples: inferences compared.
        mismatches: those of which any output byte, or the mode of any block, differed.
        first: index of the first mismatching record, or None.
    """

    samples: int
    mismatches: int
    first: int | None


@dataclass(frozen=True)
class Compared:
    """One backend against the interpreter.

    Attributes:
        modes: in the order of their ids on the target.
        switches: None where there is nothing to switch.
    """

    modes: tuple[Outcome, ...]
    switches: Outcome | None


@dataclass(frozen=True)
class Comparison:
    """The content of compare.json.

    Attributes:
        backends: the host's and the target's, by name.
    """

    backends: Mapping[str, Compared]

    def save(self, folder: Path) -> None:
        """Write compare.json."""
        save_document(folder / COMPARED, self)

    @classmethod
    def load(cls, folder: Path) -> Comparison:
        """Read it.

        Raises:
            DimmerError: it is missing or damaged.
        """
        return load_document(cls, folder / COMPARED)


@dataclass(frozen=True)
class VerifiedMode:
    """One mode of the firmware.

    Attributes:
        accuracy: share of the test images that the C runtime classifies right, on the host.
        accuracy_float: the same of the mode before quantisation.
        host, target: against the interpreter.
        scores: of the test images, with intervals; None of what was verified before there were any.
    """

    name: str
    accuracy: float
    accuracy_float: float
    host: Outcome
    target: Outcome
    scores: Scores | None = None


@dataclass(frozen=True)
class Switches:
    """Changes of mode within an inference, against spliced files.

    Attributes:
        schedules: how many were tried.
        host, target: against the interpreter; None where there is nothing to switch.
    """

    schedules: int
    host: Outcome | None
    target: Outcome | None


@dataclass(frozen=True)
class VerifiedBudget:
    """Gated runs of the whole test set with one budget, on the host.

    Attributes:
        budget: wanted mean cost, as a fraction of the 8-bit super-net's.
        accuracy: share of the test images, 0..1.
        cost: mean cost, as a fraction of the 8-bit super-net's.
        agreement: with the choices of the trained gates in front of the float network.
        modes: mode -> how many images ran in it, the most frequent first.
    """

    budget: float
    accuracy: float
    cost: float
    agreement: Agreement
    modes: Mapping[str, int]


@dataclass(frozen=True)
class VerifiedGates:
    """Gated runs.

    Attributes:
        samples: inferences compared, each with another budget.
        mismatches: backend -> inferences of which any output byte, or the bits of any block, differed.
        share_of_macs: multiply-accumulates of the gates, as a share of the super-net's.
    """

    samples: int
    mismatches: Mapping[str, int]
    share_of_macs: float
    budgets: tuple[VerifiedBudget, ...]


@dataclass(frozen=True)
class Verified:
    """The content of verify.json.

    Attributes:
        backend: what the target is, for people.
        test_images: how many the accuracies are of.
        modes: in the order of their ids on the target.
        gates: None without gates.
    """

    target: str
    backend: str
    test_images: int
    modes: tuple[VerifiedMode, ...]
    switches: Switches
    gates: VerifiedGates | None

    def mode(self, name: str) -> VerifiedMode:
        """One mode.

        Raises:
            DimmerError: it was not verified.
        """
        for mode in self.modes:
            if mode.name == name:
                return mode
        raise DimmerError(f"mode {name} was not verified on {self.target}; build again")

    def save(self, folder: Path) -> None:
        """Write verify.json."""
        save_document(folder / RESULT, self)

    @classmethod
    def load(cls, folder: Path) -> Verified:
        """Read it.

        Raises:
            DimmerError: it is missing or damaged.
        """
        return load_document(cls, folder / RESULT)
