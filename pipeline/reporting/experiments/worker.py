# SPDX-License-Identifier: Apache-2.0
"""One run of a table, in a process of its own: trained, measured, written as ``run.json``.

A run that is killed goes on at the epoch where it stopped: its training does.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dimmer.children import worker, worker_arguments
from dimmer.pipeline.core.documents import parse_document
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.reporting.experiments.begun import LOCK
from dimmer.pipeline.reporting.experiments.record import RUN, RunRecord
from dimmer.pipeline.reporting.experiments.table import Arm, load_table

if TYPE_CHECKING:
    from dimmer.pipeline.training.settings import TrainingSettings

PROGRESS, ORDER, TEACHERS = "progress.json", "order.json", ".teachers"
_EACH_S = 0.5


@dataclass(frozen=True)
class Order:
    """What a worker is to do.

    Attributes:
        recipe: file of the model whose table it is.
        table: its name.
        arm: of the table.
        seed: of the run.
        out: folder of the run, an absolute path.
        device: a torch device.
        threads: of torch on a CPU.
        cwd: where the command was typed: projects and relative paths in the environment are found from there.
    """

    recipe: str
    table: str
    arm: str
    seed: int
    out: str
    device: str
    threads: int
    cwd: str


def do(order: Order, progress: Progress) -> Path:
    """Trains and measures; returns the run's record.

    Raises:
        DimmerError: the training failed.
    """
    import torch

    from dimmer.pipeline.artifacts.checkpoint import CHECKPOINT, read_into
    from dimmer.pipeline.artifacts.training_record import STATE, is_finished, load_checkpoint
    from dimmer.pipeline.data.registry import dataset_hash, load_dataset
    from dimmer.pipeline.reporting.experiments.begun import epochs_of
    from dimmer.pipeline.reporting.experiments.measure import measure_nets, versions
    from dimmer.pipeline.training.loop import HISTORY
    from dimmer.pipeline.training.settings import TrainingSettings, override

    torch.set_num_threads(order.threads)
    table = load_table(order.recipe, order.table)
    arm = table.arm(order.arm)
    settings = TrainingSettings.of(override(arm.recipe, order.seed), arm.alone)
    out, data = Path(order.out), dataset_hash(settings.source)
    start, folder = None, _training_of(out, arm)
    run = settings.run_id(data)
    # What is begun goes on by its own state, wherever it was begun.
    begun = is_finished(folder / CHECKPOINT, run.to_json()) or epochs_of(folder / STATE, run)
    if arm.after and not begun:
        first = table.arm(arm.after)
        before = TrainingSettings.of(override(first.recipe, order.seed))
        place = _training_of(out.parents[1] / first.name / out.name, first)
        start = _trained(before, place, order, data, _titled(progress, first.name))
    checkpoint = _trained(settings, folder, order, data, progress, start)
    progress("accuracies", 1.0)
    record = load_checkpoint(checkpoint)[1]
    device = torch.device(order.device)
    network = read_into(settings.untrained(), checkpoint, settings.path)
    network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    lines = json.loads((checkpoint.parent / HISTORY).read_text())["history"]
    dataset = load_dataset(settings.source)
    images = arm.recipe.calibration.bn_images
    made = RunRecord(
        arm=arm.name,
        seed=order.seed,
        run=record.run,
        nets=measure_nets(network, dataset, device, images, order.seed, alone=arm.alone is not None),
        test_images=len(dataset.test),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        seconds=round(sum(line["seconds"] for line in lines), 1),
        device=", ".join(record.devices),
        versions=versions(),
        after=arm.after,
    )
    atomic_write(out / RUN, json.dumps(made.to_json(), indent=1) + "\n")
    return out / RUN


def _training_of(out: Path, arm: Arm) -> Path:
    """Folder of an arm's training in a run's: one that began with another arm's network is another training."""
    return out / (f"train-after-{arm.after}" if arm.after else "train")


def _trained(
    settings: TrainingSettings, folder: Path, order: Order, data: str, progress: Progress, start: Path | None = None
) -> Path:
    """The checkpoint of a training, made in its folder by whoever comes first."""
    from dimmer.pipeline.training.loop import train

    teacher = None
    if settings.teacher.epochs:
        # Arms with the same one share it.
        own = settings.of_teacher()
        teacher = folder.parents[2] / TEACHERS / own.run_id(data).training[:16]
        with _alone_in(teacher, told := _titled(progress, "teacher")):
            train(own, teacher, device=order.device, data=data, progress=told)
    with _alone_in(folder, progress):
        return train(settings, folder, device=order.device, start=start, teacher=teacher, data=data, progress=progress)


@contextmanager
def _alone_in(folder: Path, progress: Progress) -> Iterator[None]:
    """One process trains in a folder, while others wait."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another run", 0.0)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _titled(progress: Progress, title: str) -> Progress:
    """The progress of something before the run itself, of which nothing is done yet."""
    return lambda text, share: progress(f"{title}, {text}", 0.0)


def telling(folder: Path, clock: Callable[[], float] = time.monotonic) -> Progress:
    """Progress as a file that the parent reads, written twice a second at most."""
    last = clock() - _EACH_S

    def tell(text: str, share: float) -> None:
        nonlocal last
        if (now := clock()) - last >= _EACH_S:
            last = now
            # Not flushed to the disk: nobody reads it after this process.
            partial = folder / f".{PROGRESS}"
            partial.write_text(json.dumps([text, share]))
            os.replace(partial, folder / PROGRESS)

    return tell


def write_order(folder: Path, order: Order) -> None:
    """For the worker that is started with this folder."""
    (folder / ORDER).write_text(json.dumps(asdict(order)))


if __name__ == "__main__":
    (name,) = worker_arguments("worker", "does one run of dimmer experiment")
    with worker(Path(name)):
        order = parse_document(Order, (Path(name) / ORDER).read_text())
        os.chdir(order.cwd)
        do(order, telling(Path(name)))
