# SPDX-License-Identifier: Apache-2.0
"""A mode on the test samples, by the C that the device runs: scores, the worst of them, and what the last model did."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer import processes
from dimmer.pipeline.artifacts.trained import find_checkpoint
from dimmer.pipeline.core.documents import load_document, save_document
from dimmer.pipeline.core.noted import note
from dimmer.pipeline.core.scores import Scores
from dimmer.pipeline.core.statistics import mcnemar
from dimmer.pipeline.data.dataset import Split
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.data.given_back import errors, limit_of
from dimmer.pipeline.data.own import VALUES, OwnData
from dimmer.pipeline.data.packed import heads_of, is_packed
from dimmer.pipeline.data.registry import Source, dataset_hash, dataset_modules, load_dataset
from dimmer.pipeline.hosted.generated import find_generated
from dimmer.pipeline.hosted.loading import load
from dimmer.pipeline.hosted.model import Model
from dimmer.pipeline.hosted.parts import apart
from dimmer.pipeline.networks.tasks import right
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.verification.current import check_current
from dimmer.pipeline.verification.scoring import scores_of

WORST = 10
_BATCH = 256


@dataclass(frozen=True)
class Worst:
    """A sample that is wrong.

    Attributes:
        name: where it is from.
        truth: what it is.
        said: what the network says.
        by: by how much: of classes and labels in the outputs' units, of values in tolerances; of several outputs, which
            have no unit in common, the share of the most wrong sample's at the output where that is the largest.
    """

    name: str
    truth: str
    said: str
    by: float


@dataclass(frozen=True)
class ValueUnit:
    """What a value's targets and outputs stand for: mean + per_one * target, in its unit.

    Attributes:
        mean: in training.
        per_one: the tolerance.
        unit: its name; empty where nobody gave one.
    """

    mean: float
    per_one: float
    unit: str

    def told(self, target: float) -> str:
        """The value in words.

        Examples:
            >>> ValueUnit(5.0, 0.5, "kg").told(-2.0)
            '4 kg'
        """
        return f"{self.mean + self.per_one * target:.3g} {self.unit}".rstrip()


@dataclass(frozen=True)
class Evaluation:
    """A model's mode on the test samples.

    Attributes:
        weights: SHA-256 of the checkpoint.
        data: hash of the data set.
        scores: of the outputs.
        worst: the most wrong first.
        right: a bit for each test sample, hexadecimal.
    """

    weights: str
    data: str
    scores: Scores
    worst: tuple[Worst, ...]
    right: str


@dataclass(frozen=True)
class Evaluated:
    """What was found now, and of the model before it.

    Attributes:
        now: of the model as it is.
        last: of the one before it, with other weights on the same data; None where there is none.
    """

    now: Evaluation
    last: Evaluation | None

    def compared(self) -> str:
        """How the model does beside the last one, in a line; empty where there is none."""
        if self.last is None:
            return ""
        one, other = (_bits(found.right, found.scores.samples) for found in (self.now, self.last))
        better, worse = int((one & ~other).sum()), int((~one & other).sum())
        points = 100 * (better - worse) / len(one)
        return (
            f"{points:+.2f} points against the last model: {better} samples better, {worse} worse, "
            f"p = {mcnemar(better, worse):.2g} (McNemar)"
        )


def evaluate(recipe: Recipe, build: Path, mode: str | None) -> tuple[str, Evaluated]:
    """The mode's name, the first one's where None is given, and what was found; kept in ``build/<model>/eval``.

    Raises:
        DimmerError: the model was not built, or of other weights or data than it has now, or has no such mode.
    """
    with processes.once_a_machine():
        model, source = load(build), recipe.source
        check_current(recipe, build, find_generated(build).folder)
        data = load_dataset(source)
    name = model.modes[0] if mode is None else mode
    outputs, limit = _outputs(model, name, data.test), None
    if data.test.labels.dtype == np.int8:
        limit = limit_of(_outputs(model, name, data.val), data.val.labels)
    found = right(outputs, data.test.labels, limit)
    weights = hashlib.sha256(find_checkpoint(recipe, build).read_bytes()).hexdigest()
    now = Evaluation(
        weights,
        dataset_hash(source),
        scores_of(source, outputs, data.test.labels, data.classes, limit),
        worst_samples(
            outputs,
            data.test.labels,
            data.classes,
            found,
            _names(source, len(data.test)),
            limit,
            value_units(source),
        ),
        np.packbits(found).tobytes().hex(),
    )
    kept = build / "eval" / f"{name}.json"
    before = processes.agreed(lambda: load_document(Evaluated, kept) if kept.is_file() else None)
    last = None if before is None else before.last if before.now.weights == weights else before.now
    evaluated = Evaluated(now, last if last is not None and last.data == now.data else None)
    if processes.is_first():
        save_document(kept, evaluated)
        note(kept.parent, [kept])
    return name, evaluated


def _outputs(model: Model, mode: str, split: Split) -> NDArray[np.float32]:
    """float32[N,outputs] of the C that the device runs; several processes share the samples."""

    def some(first: int) -> NDArray[np.float32]:
        images = split.images[first : first + _BATCH]
        codes = to_int8(images).reshape(len(images), *model.input_shape[len(model.input_shape) > 1 :])
        if not model.outputs:
            found: NDArray[np.float32] = model.run(codes, mode, dequantise=True).reshape(len(images), -1)
            return found
        said = apart(model.outputs, model.run(codes, mode).reshape(len(images), -1), dequantise=True)
        return np.concatenate([values.reshape(len(images), -1) for values in said.values()], 1)

    return np.concatenate(processes.spread(range(0, len(split), _BATCH), some))


def _names(source: Source, count: int) -> tuple[str, ...]:
    if not isinstance(source, OwnData):
        return tuple(f"test image {number}" for number in range(count))
    names: tuple[str, ...] = import_module(dataset_modules(source)[0]).prepared(source).facts.names["test"]
    return names


def value_units(source: Source) -> tuple[ValueUnit, ...]:
    """Of every value of every output, in their order; nothing where there are none."""
    if not isinstance(source, OwnData):
        return ()
    facts, section = import_module(dataset_modules(source)[0]).prepared(source).facts, source.section
    units = tuple(unit for one in section.outputs if one.task == VALUES for unit in one.units or ("",) * one.elements)
    if not section.outputs:
        units = section.units or ("",) * len(facts.mean)
    return tuple(ValueUnit(*one) for one in zip(facts.mean, facts.tolerance, units, strict=True))


def worst_samples(
    outputs: NDArray[Any],
    targets: NDArray[Any],
    classes: tuple[str, ...],
    found: NDArray[np.bool_],
    names: tuple[str, ...],
    limit: float | None,
    units: tuple[ValueUnit, ...] = (),
) -> tuple[Worst, ...]:
    """The samples that are wrong by most, at most `WORST`, the worst first.

    Args:
        outputs: float32[N,outputs].
        targets: as of `Targets`.
        classes: what each output stands for.
        found: bool[N]: whether each sample is right.
        names: of the samples.
        limit: of an anomaly detector: of the error, from which a sample is an anomaly.
        units: of every value; without them values are told in tolerances from their mean.
    """
    if limit is not None:
        by = np.abs(errors(outputs, targets) - limit)
        # What is said of one that is wrong is the other.
        truth = targets[:, 0] > 0
        told = [(classes[int(is_one)], classes[int(not is_one)]) for is_one in truth]
        return tuple(
            Worst(names[n], *told[n], round(float(by[n]), 4))
            for n in [int(n) for n in np.argsort(-by, kind="stable") if not found[n]][:WORST]
        )
    if is_packed(targets):
        return _worst_of_outputs(outputs, targets, classes, found, names, units)
    by = _by(outputs, targets)
    worst = [int(n) for n in np.argsort(-by, kind="stable") if not found[n]][:WORST]
    return tuple(
        Worst(
            names[n],
            _told(targets[n], classes, units),
            _told(_said(outputs[n], targets), classes, units),
            round(float(by[n]), 4),
        )
        for n in worst
    )


def _by(outputs: NDArray[Any], targets: NDArray[Any]) -> NDArray[Any]:
    """By how much each sample is wrong, float[N]: of one output that is no anomaly's."""
    found: NDArray[Any]
    if targets.dtype == np.uint8:
        found = np.where((outputs > 0) != (targets > 0), np.abs(outputs), 0).max(1)
    elif np.issubdtype(targets.dtype, np.floating):
        found = np.abs(outputs - targets).max(1)
    else:
        found = outputs.max(1) - outputs[np.arange(len(targets)), targets]
    return found


def _worst_of_outputs(
    outputs: NDArray[Any],
    targets: NDArray[Any],
    classes: tuple[str, ...],
    found: NDArray[np.bool_],
    names: tuple[str, ...],
    units: tuple[ValueUnit, ...],
) -> tuple[Worst, ...]:
    """Of several outputs: the most wrong at any that decides, beside the most wrong there."""
    heads = heads_of(targets[0])
    by = np.stack([_share_of_most(outputs[:, head.place], head.truth(targets)) for head in heads if head.decides]).max(
        0
    )

    def told(n: int, says: bool) -> str:
        parts, done = [], 0
        for head in heads:
            its_units: tuple[ValueUnit, ...] = ()
            if head.task == VALUES:
                its_units = units[done : done + head.elements]
                done += head.elements
            # The elements' names begin with the output's.
            own = tuple(name.partition(": ")[2] for name in classes[head.place])
            truth = head.truth(targets[n : n + 1])
            parts.append(_told(_said(outputs[n, head.place], truth) if says else truth[0], own, its_units))
        return "; ".join(parts)

    worst = [int(n) for n in np.argsort(-by, kind="stable") if not found[n]][:WORST]
    return tuple(Worst(names[n], told(n, False), told(n, True), round(float(by[n]), 4)) for n in worst)


def _share_of_most(outputs: NDArray[Any], targets: NDArray[Any]) -> NDArray[Any]:
    """By how much each sample is wrong at one output, 0 where that is right, 1 where it is wrong by most; float[N]."""
    by = np.where(right(outputs, targets), 0.0, _by(outputs, targets))
    found: NDArray[Any] = by / (by.max(initial=0.0) or 1.0)
    return found


def _said(outputs: NDArray[Any], targets: NDArray[Any]) -> Any:
    """What a sample's outputs say, as a target says it."""
    if targets.dtype == np.uint8:
        return (outputs > 0).astype(np.uint8)
    return outputs if np.issubdtype(targets.dtype, np.floating) else np.int64(outputs.argmax())


def _told(target: Any, classes: tuple[str, ...], units: tuple[ValueUnit, ...]) -> str:
    """A target in words."""
    if np.ndim(target) == 0:
        return classes[int(target)]
    if target.dtype == np.uint8:
        return ", ".join(name for name, holds in zip(classes, target, strict=True) if holds) or "none"
    if not units:
        return ", ".join(f"{value:+.3g} tolerances" for value in target)
    return ", ".join(unit.told(float(value)) for unit, value in zip(units, target, strict=True))


def _bits(text: str, count: int) -> NDArray[np.bool_]:
    return np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8))[:count].astype(bool)
