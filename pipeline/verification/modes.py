# SPDX-License-Identifier: Apache-2.0
"""Every mode and every switch on the host and the target against the interpreter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.verification import (
    Compared,
    Comparison,
    ModeAccuracy,
    Switches,
    Verified,
    VerifiedMode,
    accuracy_folder,
    comparison_folder,
)
from dimmer.pipeline.core.progress import Progress, part
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.data.registry import Source, load_dataset
from dimmer.pipeline.image.records import Ran, Record, run_schedules
from dimmer.pipeline.verification.backends import Backend, Subjects, find_subjects
from dimmer.pipeline.verification.expected import oracle
from dimmer.pipeline.verification.gates import verify_gates
from dimmer.pipeline.verification.order import VerifyOrder
from dimmer.pipeline.verification.outcome import compare
from dimmer.pipeline.verification.schedules import switch_schedules
from dimmer.targets import Target

if TYPE_CHECKING:
    from dimmer.pipeline.core.arrays import Int8


def compare_firmware(
    source: Source, images: int, build: Path, target: Target, out: Path, progress: Progress
) -> Comparison:
    """Writes `compare.json` into `out`, and gives its content.

    Args:
        source: whose test images are run.
        images: of them, how many every mode must get bit for bit right.
        build: ``build/<model>``, where the firmwares lie.

    Raises:
        DimmerError: any mismatch; the message names mode, image and backend.
    """
    subjects = find_subjects(build, target)
    given = to_int8(load_dataset(source).test.images[:images])
    compared = compare_backends(subjects, given, images, progress)
    refuse_mismatches(subjects, compared, len(given))
    comparison = Comparison(compared)
    comparison.save(out)
    return comparison


def verify(order: VerifyOrder, build: Path, target: Target, out: Path, progress: Progress) -> Verified:
    """Writes `verify.json` into `out`, and gives its content.

    Args:
        build: ``build/<model>``, where the firmwares, their comparison and the modes' accuracies lie.

    Raises:
        DimmerError: any mismatch of gated runs.
    """
    subjects = find_subjects(build, target)
    test = load_dataset(order.dataset).test
    compared = Comparison.load(comparison_folder(build, target.name)).backends
    host, there = compared[subjects.host.name], compared[subjects.target.name]
    modes = []
    for number, source in enumerate(subjects.sources):
        found = ModeAccuracy.load(accuracy_folder(build), source.name)
        modes.append(
            VerifiedMode(
                name=source.name,
                accuracy=found.accuracy,
                accuracy_float=found.accuracy_float,
                host=host.modes[number],
                target=there.modes[number],
                scores=found.scores,
            )
        )
    schedules = 0 if host.switches is None else host.switches.samples
    verified = Verified(
        target=target.name,
        backend=target.description,
        test_images=len(test),
        modes=tuple(modes),
        switches=Switches(schedules, host.switches, there.switches),
        gates=None if order.gates is None else verify_gates(order.gates, subjects, test, order.images, progress),
    )
    verified.save(out)
    return verified


def compare_backends(subjects: Subjects, images: Int8, count: int, progress: Progress) -> dict[str, Compared]:
    """Runs every mode on the first `count` images, and schedules that change the mode within an inference.

    A backend whose target wants fewer (`Runner.samples`) runs that many images a mode and that many schedules.

    Args:
        images: int8[N,H,W,C].

    Returns:
        Backend -> what came of it.
    """
    modes, positions, count = len(subjects.sources), subjects.positions, min(count, len(images))
    records = [Record((mode,) * positions, image) for mode in range(modes) for image in range(count)]
    mixed = _mixed(subjects, count)
    records += mixed
    progress("oracle: the TFLite interpreter", 0.0)
    expected = oracle(subjects.sources, records, images)
    found = {}
    for step, backend in enumerate(subjects.backends):
        most = backend.target.runner.samples
        # Row numbers of each mode's records and, behind them, of the schedules'.
        parts = [range(mode * count, mode * count + _at_most(most, count)) for mode in range(modes)]
        parts += [range(modes * count, modes * count + _at_most(most, len(mixed)))] if mixed else []
        mine = [records[row] for rows in parts for row in rows]
        tell = _counted(part(progress, 0.25 + 0.375 * step, 0.625 + 0.375 * step), backend, len(mine))
        ran = run_schedules(backend.target, backend.elf, backend.ids, mine, images, expected.shape[1], tell)
        outcomes, done = [], 0
        for rows in parts:
            here, there = slice(done, done + len(rows)), slice(rows.start, rows.stop)
            outcomes.append(compare(mine[here], expected[there], Ran(ran.outputs[here], ran.modes[here])))
            done += len(rows)
        found[backend.name] = Compared(tuple(outcomes[:modes]), outcomes[modes] if mixed else None)
    return found


def _mixed(subjects: Subjects, count: int) -> list[Record]:
    """Schedules that change the mode within an inference, on one of `count` images each."""
    schedules = switch_schedules(len(subjects.sources), subjects.positions)
    return [Record(schedule, i % count) for i, schedule in enumerate(schedules)]


def _at_most(most: int | None, count: int) -> int:
    return count if most is None else min(count, most)


def _counted(progress: Progress, backend: Backend, total: int) -> Callable[[int], None]:
    finished = 0

    def done(count: int) -> None:
        nonlocal finished
        finished += count
        progress(f"{backend.name} against the interpreter", finished / total)

    return done


def refuse_mismatches(subjects: Subjects, compared: Mapping[str, Compared], images: int) -> None:
    """Raises DimmerError where a backend differs from the interpreter.

    Args:
        images: of which the backends had the first ones, or all.
    """
    names = [source.name for source in subjects.sources]
    for backend, found in compared.items():
        outcomes = [(name, outcome, outcome.first) for name, outcome in zip(names, found.modes, strict=True)]
        if (mixed := found.switches) is not None:
            name, image = "switches within an inference", mixed.first
            if mixed.first is not None:
                record = _mixed(subjects, images)[mixed.first]
                image = record.image
                name += f", schedule {mixed.first}: {' then '.join(names[mode] for mode in record.schedule)}"
            outcomes.append((name, mixed, image))
        for name, outcome, first in outcomes:
            if outcome.mismatches:
                raise DimmerError(
                    f"{backend} differs from the TFLite interpreter in {outcome.mismatches} of {outcome.samples} "
                    f"inferences ({name}, first at test image {first}); do not flash it, report it"
                )
