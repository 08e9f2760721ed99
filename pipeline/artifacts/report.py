# SPDX-License-Identifier: Apache-2.0
"""What the report is made of: every figure of a build, as plain immutable data.

``None`` stands for "not measured"; ``ReportData.notes`` then says why, under the figure's place in report.json.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

from dimmer.pipeline.artifacts.bundle import BundleBytes
from dimmer.pipeline.artifacts.calibration import CalibratedMode
from dimmer.pipeline.artifacts.cycles import CyclesSource
from dimmer.pipeline.artifacts.detected import Detected
from dimmer.pipeline.artifacts.energy import EnergyFigures
from dimmer.pipeline.artifacts.firmware import ArenaBuffer, FirmwareStack, PolicyTier, Step, Switch, Verification
from dimmer.pipeline.artifacts.npu import NpuBytes, NpuMode
from dimmer.pipeline.core.scores import Scores
from dimmer.pipeline.core.stage import Json, StageResult
from dimmer.pipeline.modes.mode import Mode

UNEXPLAINED = "not measured; why was not recorded: report it"
"""The note on a null that came without one."""


@dataclass(frozen=True)
class ModeFigures:
    """One published mode.

    Attributes:
        name: bits of every block, as ``88.80.80``; of a `.tflite` that came alone the file's.
        macs: multiply-accumulates of one inference.
        bit_operations: sum of MACs x weight bits x activation bits; None where the modes' blocks are not known.
        accuracy: share of the test set classified right by the quantised mode, 0..1.
        accuracy_float: the same before quantisation.
        instructions: executed by one inference, counted on the target.
        energy_uj: microjoules of one inference from the board's supply; what is known of its uncertainty is in
            `ReportData.energy`.
        cycles: clock cycles of one inference.
        cycles_source: "rtl" where they were measured on the core's RTL, "model" where a model of its timing tells them,
            "vela" where they are Vela's estimate of an NPU's.
    """

    name: str
    macs: int
    bit_operations: int | None
    accuracy: float | None
    accuracy_float: float | None
    instructions: int | None
    energy_uj: float | None
    verify: Verification | None
    cycles: int | None = None
    cycles_source: CyclesSource | None = None


@dataclass(frozen=True)
class Candidate:
    """A mode that the selection looked at, published or not.

    Attributes:
        accuracy: share of the validation set classified right, 0..1: the test set has no say in the selection.
        reason: why it was published or left out, one sentence.
    """

    name: str
    macs: int
    bit_operations: int
    accuracy: float
    published: bool
    reason: str

    @classmethod
    def of(cls, mode: CalibratedMode) -> Candidate:
        """What calibration says of a mode."""
        return cls(mode.name, mode.macs, mode.bit_operations, mode.accuracy, mode.published, mode.reason)


@dataclass(frozen=True)
class Flash:
    """Bytes of flash; ``single_mode_total`` is the same firmware with the top mode alone."""

    weights: int | None
    tables: int | None
    code: int | None
    total: int | None
    single_mode_total: int | None


@dataclass(frozen=True)
class Ram:
    """Bytes of RAM; ``stack`` was seen in use, ``single_mode_arena`` is the arena that the top mode alone needs,
    ``state`` lasts in the arena from one inference to the next.
    """

    arena: int | None
    scratch: int | None
    stack: int | None
    total: int | None
    single_mode_arena: int | None
    state: int = 0


@dataclass(frozen=True)
class LayerFlash:
    """What a layer keeps in flash, and the modes that run it.

    Attributes:
        weights: bytes, once for all modes.
        parameters: bytes of all its sets of biases, multipliers and shifts; modes that differ in them have one each.
    """

    layer: str
    weights: int
    parameters: int
    modes: tuple[str, ...]


@dataclass(frozen=True)
class BatterySample:
    """A moment of the simulated discharge: seconds, charge in permille, the mode that runs."""

    time_s: float
    charge_permille: float
    mode: str


@dataclass(frozen=True)
class GpuFigures:
    """What TensorRT's engines need on the board, where somebody measured it."""

    latency_us: float | None = None
    engine_bytes: int | None = None
    scratch_bytes: int | None = None


@dataclass(frozen=True)
class BundleFigures:
    """A bundle for a Linux board.

    Attributes:
        version: another one for another content.
        architecture: as `uname -m` says it.
        tvm: the version that compiled the modes.
        latency_us: of one inference of the top mode on the board's processor, where somebody measured it.
    """

    version: str
    architecture: str
    tvm: str
    bytes: BundleBytes
    latency_us: float | None = None
    gpu: GpuFigures = GpuFigures()


@dataclass(frozen=True)
class NpuFigures:
    """A firmware for an NPU.

    Attributes:
        accelerator: that it is for.
        vela: version that compiled the command streams.
        rehearsed: what ran the firmware, with what in the driver's place.
        proves: what verification shows and what it does not.
    """

    accelerator: str
    vela: str
    system_config: str
    memory_mode: str
    bytes: NpuBytes
    modes: tuple[NpuMode, ...]
    rehearsed: str
    proves: str


@dataclass(frozen=True)
class FeatureFigures:
    """What the device makes of its samples, and of the network's outputs; docs/features.md has cycles.

    Attributes:
        kind: of the front end, as the recipe has it.
        ram: bytes of its streams.
        flash: bytes of its tables.
        detector: whether outputs are smoothed and held against a threshold.
        activity: whether inferences are left out while nothing is heard.
    """

    kind: str
    ram: int
    flash: int
    detector: bool
    activity: bool


@dataclass(frozen=True)
class DetectionFigures(Detected):
    """What `dimmer detect` found, and whether it is the detector that the recipe has."""

    in_recipe: bool


@dataclass(frozen=True)
class EndFigures:
    """One of several inputs or outputs.

    Attributes:
        name: of its tensor.
        shape: of it.
        offset: bytes into the buffer that holds all of them.
        scale: value of one code.
        zero_point: code of 0.
    """

    name: str
    shape: tuple[int, ...]
    offset: int
    scale: float
    zero_point: int


@dataclass(frozen=True)
class InputFigures(EndFigures):
    """One of several inputs, with the names of its channels."""

    channels: tuple[str, ...]


@dataclass(frozen=True)
class OutputFigures(EndFigures):
    """One of several outputs, as the recipe's [[data.outputs]] have it."""

    task: str
    classes: tuple[str, ...]
    units: tuple[str, ...]
    weight: float
    decides: bool


@dataclass(frozen=True)
class ReportData:
    """Everything that report.json and report.html tell.

    Attributes:
        dataset: None where the modes are `.tflite` files that came alone.
        modes: published modes, the most expensive first.
        candidates: every mode that the selection looked at.
        stack: as it is proven; what was seen in use is `ram.stack`.
        steps: every layer of every mode in the order in which they run.
        bundle: of a target that takes one: what is in it and what was measured of it; None elsewhere.
        npu: of a target that has one: what the modes share and what Vela estimates; None elsewhere.
        energy: days, periods and levers; None where nothing is known of what a cycle takes.
        features: of a recipe that has some; None elsewhere.
        detection: of a detector that `dimmer detect` tuned on this model; None where it was not run.
        notes: place in report.json -> why it is null, or how it was come by; ``[*]`` stands for every index.
        arena: buffers of every mode; shown in the page only, as are ``layers`` and ``battery``, but for what lies
            within another buffer: ``aliases`` of report.json.
        arena_lower_bound: most bytes alive in one step, which no plan can undercut; page and terminal only.
        macs_per_cycle: that the core does at best, for the page; None where nobody says.
        battery: the charge over time under the policy; empty if not simulated.
        battery_note: what was assumed for it: capacity, interval, harvest.
        scores: mode -> what can be said of its outputs for the test samples, with intervals; empty where nobody did.
        inputs: of a network of several; nothing of one.
        outputs: the same of outputs.
    """

    model: str
    target: str
    dataset: str | None
    generator_version: str
    flash: Flash
    ram: Ram
    stack: FirmwareStack
    switch: Switch
    modes: tuple[ModeFigures, ...]
    candidates: tuple[Candidate, ...] = ()
    policy: tuple[PolicyTier, ...] = ()
    gates: Mapping[str, Json] = field(default_factory=dict)
    stages: tuple[StageResult, ...] = ()
    steps: tuple[Step, ...] = ()
    bundle: BundleFigures | None = None
    npu: NpuFigures | None = None
    energy: EnergyFigures | None = None
    features: FeatureFigures | None = None
    detection: DetectionFigures | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    arena: tuple[ArenaBuffer, ...] = ()
    arena_lower_bound: int | None = None
    layers: tuple[LayerFlash, ...] = ()
    macs_per_cycle: float | None = None
    battery: tuple[BatterySample, ...] = ()
    battery_note: str = ""
    scores: Mapping[str, Scores] = field(default_factory=dict)
    inputs: tuple[InputFigures, ...] = ()
    outputs: tuple[OutputFigures, ...] = ()

    def document(self) -> dict[str, Json]:
        """The content of report.json.

        A null without a note gets one here that says as much, since the figures are made long before, by whoever has
        to give the reason: a build that took hours does not end for want of it.
        """
        document: dict[str, Json] = {
            "model": self.model,
            "target": self.target,
            "dataset": self.dataset,
            "generator_version": self.generator_version,
            "flash": asdict(self.flash),
            "ram": asdict(self.ram),
            "stack": asdict(self.stack),
            "switch": asdict(self.switch),
            "modes": [_mode_document(mode, self.dataset is not None) for mode in self.modes],
            "candidates": [_mode_document(mode, blocks=True) for mode in self.candidates],
            "policy": [asdict(tier) for tier in self.policy],
            "gates": dict(self.gates),
            "stages": [
                {"name": stage.name, "seconds": round(stage.seconds, 3), "cached": stage.cached}
                for stage in self.stages
            ],
            "steps": [asdict(step) for step in self.steps],
            "energy": None if self.energy is None else asdict(self.energy),
            "notes": dict(self.notes),
        }
        if aliases := [buffer for buffer in self.arena if buffer.within]:
            document["aliases"] = [
                {"mode": one.mode, "name": one.name, "within": one.within, "offset": one.offset, "size": one.size}
                for one in aliases
            ]
        if self.scores:
            document["scores"] = {mode: _scores_document(found) for mode, found in self.scores.items()}
        if self.inputs:
            document["inputs"] = [asdict(one) for one in self.inputs]
        if self.outputs:
            document["outputs"] = [asdict(one) for one in self.outputs]
        if self.bundle is not None:
            document["bundle"] = asdict(self.bundle)
        if self.npu is not None:
            document["npu"] = asdict(self.npu)
        if self.features is not None:
            document["features"] = asdict(self.features)
        if self.detection is not None:
            document["detection"] = asdict(self.detection)
        elif self.features is not None and self.features.detector:
            document["detection"] = None
        unexplained = {place: UNEXPLAINED for place in _nulls(document, "") if not self.note(place)}
        return {**document, "notes": {**self.notes, **unexplained}}

    def note(self, place: str) -> str | None:
        """The note on a figure such as ``modes[2].instructions``, its own or the one on all indices."""
        return self.notes.get(place) or self.notes.get(re.sub(r"\[\d+\]", "[*]", place))


def _scores_document(scores: Scores) -> dict[str, Json]:
    """Of one output without the key of several."""
    figures: dict[str, Json] = asdict(scores)
    if not scores.outputs:
        del figures["outputs"]
    return figures


def _mode_document(mode: ModeFigures | Candidate, blocks: bool) -> dict[str, Json]:
    figures: dict[str, Json] = asdict(mode)
    return {"name": figures.pop("name"), "blocks": _blocks(mode.name) if blocks else [], **figures}


def _blocks(name: str) -> list[list[int]]:
    return [list(stage) for stage in Mode.parse(name).blocks]


def _nulls(value: Json, place: str) -> Iterator[str]:
    if value is None:
        yield place
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _nulls(inner, f"{place}.{key}" if place else key)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _nulls(inner, f"{place}[{index}]")
