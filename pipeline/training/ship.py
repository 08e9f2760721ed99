# SPDX-License-Identifier: Apache-2.0
"""Shipping: a trained checkpoint and its measured results become part of the repository, in ``models/<name>/``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import CHECKPOINT, GATES, teacher_folder, training_folder
from dimmer.pipeline.artifacts.gate_record import load_gate_record
from dimmer.pipeline.artifacts.sums import list_sum
from dimmer.pipeline.artifacts.trained import RESULTS
from dimmer.pipeline.artifacts.training_record import Accuracy, TrainingRecord, load_checkpoint
from dimmer.pipeline.core.stage import Json, atomic_write
from dimmer.pipeline.modes.mode import Mode, NetworkCost
from dimmer.pipeline.training.gate_settings import GateSettings
from dimmer.pipeline.training.settings import TrainingSettings
from dimmer.pipeline.training.widths import uniform_modes

GATE_RESULTS = "gates.json"
FLOAT = "float.safetensors"


@dataclass(frozen=True)
class NetworkResults:
    """Super-net or base-net at one width.

    Attributes:
        mode: its name.
        macs: of an inference.
        bit_operations: of an inference.
        accuracy: of the adaptive network in this mode.
        alone: of a plain network of the same depth, trained in the same way; None if there is none.
    """

    mode: str
    macs: int
    bit_operations: int
    accuracy: Accuracy
    alone: Accuracy | None


@dataclass(frozen=True)
class TeacherResults:
    """The teacher.

    Attributes:
        widths: channels of each stage.
        epochs: of its training.
        val: percent of the validation images.
        test: percent of the test images.
    """

    widths: tuple[int, ...]
    epochs: int
    val: float
    test: float


@dataclass(frozen=True)
class Results:
    """What `results.json` says; what is None is left out of it.

    Attributes:
        model: its name.
        dataset: what it was trained on.
        seeds: of the trainings.
        epochs: of the float training.
        training_hash: of the sections that the checkpoint depends on.
        torch: version.
        devices: "cpu", or the names of GPUs.
        parameters: of the network.
        networks: "super", "super-4" and so on -> what it reaches.
        qat_epochs: of narrow widths.
        norm_epochs: of their norms.
        polish_epochs: of the polish.
        teacher: whom the super-net learnt from.
        float_training: what was shipped of the float training that this one went on from, "float" in the file.
        commands: that lead to these results.
    """

    model: str
    dataset: str
    seeds: tuple[int, ...]
    epochs: int
    training_hash: str
    torch: str
    devices: tuple[str, ...]
    parameters: int
    networks: Mapping[str, NetworkResults]
    qat_epochs: int | None
    norm_epochs: int | None
    polish_epochs: int | None
    teacher: TeacherResults | None
    float_training: Mapping[str, Json] | None
    commands: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """As it is written."""
        found = {"float" if key == "float_training" else key: value for key, value in asdict(self).items()}
        return {key: value for key, value in found.items() if value is not None}


def ship(settings: TrainingSettings, out: Path, build: Path, start: Path | None = None) -> Path:
    """Copy a training's checkpoint beside the recipe and write ``results.json``.

    Networks trained alone are compared if they were trained under ``build`` with the same recipe, epochs, seed and
    data.

    Args:
        settings: of the training.
        out: the training's folder.
        build: ``build/<model>``.
        start: checkpoint of the float training that this one went on from. It is kept as ``float.safetensors``, and
            its results, which ``results.json`` held until now, under "float".

    Returns:
        The shipped checkpoint.

    Raises:
        DimmerError: the training has no checkpoint, or a damaged one, or is that of a network trained alone.
    """
    if settings.alone:
        raise DimmerError("--ship is for the adaptive network; train it without --alone")
    source = out / CHECKPOINT
    _, record = load_checkpoint(source)
    shipped = settings.path.with_name(CHECKPOINT)
    network = settings.untrained()
    networks = _networks(settings, network.cost(), record, build)
    float_training: Mapping[str, Json] | None = None
    last = "--ship"
    if start is not None:
        float_training = _float_results(settings.path.with_name(RESULTS), load_checkpoint(start)[1])
        last += f" --start models/{settings.name}/{FLOAT}"
        _copy(start, settings.path.with_name(FLOAT))
    # The threads are those of the training where this process did it on a CPU.
    threads = f"--threads {torch.get_num_threads()} " if record.devices == ("cpu",) else ""
    how = f"--model {settings.name} {threads}--seed {record.seed}"
    ways = [*(f"--alone {name}" for name, found in networks.items() if found.alone is not None), last]
    qat = settings.qat
    results = Results(
        model=settings.name,
        dataset=settings.model.dataset,
        seeds=(record.seed,),
        epochs=record.epochs,
        training_hash=record.run.training,
        torch=record.torch,
        devices=record.devices,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        networks=networks,
        qat_epochs=qat.epochs if qat.epochs else None,
        norm_epochs=qat.norm_epochs if qat.epochs else None,
        polish_epochs=settings.polish.epochs or None,
        teacher=_teacher(settings, out),
        float_training=float_training,
        commands=tuple(f"python -m pipeline.train {how} {way}" for way in ways),
    )
    _copy(source, shipped)
    atomic_write(shipped.with_name(RESULTS), json.dumps(results.to_json(), indent=1) + "\n")
    return shipped


def ship_gates(settings: GateSettings, out: Path) -> Path:
    """Copy trained gates beside the recipe and write what was measured to ``gates.json``.

    Returns:
        The shipped gates.

    Raises:
        DimmerError: there are none, or damaged ones, or such as belong to a backbone that learnt with them.
    """
    if settings.gates.backbone_lr:
        raise DimmerError(
            f"{settings.path}: gates.backbone_lr: these gates belong to a backbone of their own, which the shipped one "
            "is not; set it to 0, or keep both in a folder (--out)"
        )
    record = load_gate_record(out / GATES)
    how = f"--model {settings.name} --threads {torch.get_num_threads()} --seed {record.seed}"
    results = {**record.to_json(), "commands": [f"python -m pipeline.train_gates {how} --ship"]}
    shipped = settings.path.with_name(GATES)
    _copy(out / GATES, shipped)
    atomic_write(shipped.with_name(GATE_RESULTS), json.dumps(results, indent=1) + "\n")
    return shipped


def _copy(source: Path, shipped: Path) -> None:
    atomic_write(shipped, source.read_bytes())
    list_sum(shipped)


def _networks(
    settings: TrainingSettings, cost: NetworkCost, record: TrainingRecord, build: Path
) -> dict[str, NetworkResults]:
    """What every network of the record reaches, beside those trained alone."""

    def results(name: str, mode: Mode) -> NetworkResults:
        alone = _alone(settings, name, record.run.data, build)
        return NetworkResults(str(mode), mode.macs(cost), mode.bit_operations(cost), record.accuracy[name], alone)

    return {name: results(name, mode) for name, mode in uniform_modes(settings.config()).items()}


def _alone(settings: TrainingSettings, which: str, data: str, build: Path) -> Accuracy | None:
    """Accuracies of the network trained alone, or None if it was not, or not in the same way."""
    path = training_folder(build, which) / CHECKPOINT
    if not path.is_file():
        return None
    _, other = load_checkpoint(path)
    alone = TrainingSettings(
        settings.name, settings.path, settings.model, settings.train, settings.qat, settings.teacher, alone=which
    )
    return other.accuracy["super"] if other.run == alone.run_id(data) else None


def _teacher(settings: TrainingSettings, out: Path) -> TeacherResults | None:
    teacher = settings.teacher
    if not teacher.epochs:
        return None
    reached = load_checkpoint(teacher_folder(out) / CHECKPOINT)[1].accuracy["super"]
    return TeacherResults(teacher.widths, teacher.epochs, reached.val, reached.test)


def _float_results(path: Path, start: TrainingRecord) -> Mapping[str, Json]:
    """What was shipped of the float training, or what its checkpoint tells if that was never shipped."""
    hashed = start.run.training
    if path.is_file():
        before = json.loads(path.read_text())
        for known in (before, before.get("float", {})):
            if known.get("training_hash") == hashed:
                return dict(known)
    accuracy: dict[str, Json] = {name: asdict(found) for name, found in start.accuracy.items()}
    return {"training_hash": hashed, "seeds": [start.seed], "epochs": start.epochs, "accuracy": accuracy}
