# SPDX-License-Identifier: Apache-2.0
"""What a training of gates writes beside them: one record in the file's header, and the same in `history.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import load_tensors
from dimmer.pipeline.core.documents import from_json, parse_document
from dimmer.pipeline.core.stage import Json


@dataclass(frozen=True)
class GateRunId:
    """What a training of gates is known by; one with another is another training.

    Attributes:
        model: its name.
        gates: settings that they depend on (`GateSettings.hash`).
        backbone: what the training of the backbone is known by.
        data: hash of the data set's contents; empty where it is not known.
    """

    model: str
    gates: str
    backbone: Mapping[str, Json] | None
    data: str = ""

    def section(self) -> Mapping[str, Json]:
        """The gates' section that they were trained by."""
        found: Mapping[str, Json] = json.loads(self.gates)[1]
        return found

    def alike(self) -> str:
        """What trainings of the same section, backbone and data have in common, such as those of several seeds."""
        return json.dumps([self.section(), self.backbone, self.data], sort_keys=True)

    def to_json(self) -> dict[str, Json]:
        """As it is written; without `data` where that is not known."""
        found: dict[str, Json] = asdict(self)
        if not self.data:
            del found["data"]
        return found


@dataclass(frozen=True)
class Measured:
    """Gated inferences of one split with one budget.

    Attributes:
        accuracy: percent.
        cost: mean, as a fraction of the 8-bit super-net's.
        modes: mode -> how many inputs ran in it, the most frequent first.
    """

    accuracy: float
    cost: float
    modes: Mapping[str, int]


@dataclass(frozen=True)
class StaticFigures:
    """A static mode.

    Attributes:
        mode: its name.
        cost: as a fraction of the 8-bit super-net's.
        test: percent of the test images.
        recalibrated: whether it has norm statistics of its own, because validation gains by them.
    """

    mode: str
    cost: float
    test: float
    recalibrated: bool = False


@dataclass(frozen=True)
class BudgetFigures:
    """The gates with one budget.

    Attributes:
        budget: wanted mean cost, as a fraction of the 8-bit super-net's.
        val: on validation images.
        test: on test images.
        static: the static mode that served best at most at the cost on validation images.
    """

    budget: float
    val: Measured
    test: Measured
    static: StaticFigures


@dataclass(frozen=True)
class GateFigures:
    """Shape and cost of the gates.

    Attributes:
        options: bits that they choose from, falling.
        features: outputs of each block's 1x1 convolution.
        hidden: units of the recurrent cell.
        reference_bits: width of the super-net whose cost is 1.
        macs: operations of all gates in an inference.
        share_of_macs: of the super-net's.
        parameters: of all gates.
        only_budget: the one that they were trained for; 0 where they serve all.
    """

    options: tuple[int, ...]
    features: int
    hidden: int
    reference_bits: int
    macs: int
    share_of_macs: float
    parameters: int
    only_budget: float = 0.0


@dataclass(frozen=True)
class GateRecord:
    """A finished training of gates.

    Attributes:
        run: what it is known by.
        seed: of weights, order, augmentation and budgets.
        gates: shape and cost.
        budgets: what each measured budget gave.
        uniform: the static modes of one width.
        skipping: what skipping alone gives: the best 8-bit depth pattern of each cost, the dearest first.
    """

    run: GateRunId
    seed: int
    gates: GateFigures
    budgets: tuple[BudgetFigures, ...]
    uniform: tuple[StaticFigures, ...]
    skipping: tuple[StaticFigures, ...]

    def to_json(self) -> dict[str, Json]:
        """As it is written; what has the statistics of the training, or serves all budgets, says nothing of it, as
        before it could differ.
        """
        found: dict[str, Json] = asdict(self, dict_factory=_written)
        return found | {"run": self.run.to_json()}

    def summary(self) -> Iterator[str]:
        """Lines for the terminal: what each budget gave, and the gates."""
        for line in self.budgets:
            test, static = line.test, line.static
            yield (
                f"budget {line.budget:.3f}: cost {test.cost:.3f}, {test.accuracy:.2f} % of the test images; "
                f"static {static.mode} cost {static.cost:.3f}, {static.test:.2f} %"
            )
        gates = self.gates
        yield f"gates: {gates.macs} MACs, {gates.share_of_macs:.2%} of the network's, {gates.parameters} weights"

    @staticmethod
    def of(record: object) -> GateRecord:
        """Read back what ``to_json`` gave.

        Raises:
            ValueError: it is something else.
        """
        return from_json(GateRecord, record)


_UNWRITTEN: tuple[tuple[str, Json], ...] = (("recalibrated", False), ("only_budget", 0.0))


def _written(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    return {key: value for key, value in pairs if (key, value) not in _UNWRITTEN}


def load_gate_history(path: Path) -> GateRecord:
    """The record in a `history.json`, without the lines of its epochs.

    Raises:
        DimmerError: the file is missing, or no history of gates.
    """
    try:
        return parse_document(GateRecord, path.read_text())
    except (OSError, ValueError) as error:
        raise DimmerError(f"{path} is no history of gates ({error}); train them first") from error


def load_gate_record(path: Path) -> GateRecord:
    """What was measured of trained gates.

    Raises:
        DimmerError: the file is missing, damaged, or holds something else.
    """
    record = load_tensors(path)[1]
    try:
        return GateRecord.of(record)
    except ValueError as error:
        raise DimmerError(f"{path} holds no trained gates; train them again") from error
