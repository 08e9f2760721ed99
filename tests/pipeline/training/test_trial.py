# SPDX-License-Identifier: Apache-2.0
"""Also: what several processes learn is what one learns."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from dimmer import processes
from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.training_record import load_checkpoint
from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.data.dataset import DatasetShape
from dimmer.pipeline.training import loop, trial
from dimmer.pipeline.training.kinds.lesson import Lesson
from dimmer.pipeline.training.settings import TrainingSettings
from dimmer.pipeline.training.trial import Bill, Step
from tests.forked import in_processes
from tests.pipeline.training.small import RECIPE, bright_or_dark, narrow, with_train

TOLERANCE = 1e-4
"""Of the losses of 20 steps in float32, relative."""
SLOW_LR = "0.01"
"""A peak at which rounding does not grow beyond that in 20 steps."""


@pytest.mark.parametrize("steps", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_the_losses_of_two_processes_are_those_of_one(
    tmp_path: Path, settings: TrainingSettings, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """Four steps an epoch, so that orders and augmentations of five epochs are dealt out."""
    monkeypatch.setattr(trial, "load_dataset", lambda name: bright_or_dark())
    slow = with_train(settings, lr=float(SLOW_LR), epochs=5)

    def losses() -> list[Step]:
        return list(trial.steps(slow, steps))

    alone = losses()
    first, second = in_processes(tmp_path, 2, losses)
    assert [step.loss_super for step in first] == [step.loss_super for step in second]
    for one, both in zip(alone, first, strict=True):
        assert both.loss_super == pytest.approx(one.loss_super, rel=TOLERANCE)
        assert both.loss_base == pytest.approx(one.loss_base, rel=TOLERANCE, abs=1e-5)


def test_parts_of_a_batch_give_the_gradients_of_the_whole(settings: TrainingSettings) -> None:
    """Of a network without batch norms; others see the statistics of each part."""
    trainers = [loop.trainer_of(with_train(settings, accumulate=parts), torch.device("cpu")) for parts in (1, 4)]
    x, labels = torch.rand(8, 1, 28, 28), torch.randint(0, 10, (8,))
    gradients = []
    for trainer in trainers:
        trainer.network.eval()
        trainer.begin(0.0)
        for images, targets in trainer.parts(x, labels):
            logits = trainer.network(images, trainer.super)
            trainer.backward(torch.nn.functional.cross_entropy(logits, targets))
        trainer.update()
        gradients.append([p.grad for p in trainer.network.parameters() if p.grad is not None])
    for whole, parts in zip(*gradients, strict=True):
        torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-6)


def test_a_batch_that_cannot_be_dealt_out_is_refused(
    settings: TrainingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "count", lambda: 3)
    with pytest.raises(DimmerError, match=r"train.batch = 16 cannot be dealt out to 3 processes.*multiple of 3"):
        loop.check_shares(settings)
    thirds = narrow(with_train(settings, batch=18), share=0.5)
    loop.check_shares(thirds)
    with pytest.raises(DimmerError, match="or the 5 images of qat"):
        loop.check_shares(narrow(with_train(settings, batch=18), share=0.25))


def test_noise_has_the_shape_and_the_bill_tells_the_whole(settings: TrainingSettings) -> None:
    data = trial.synthetic(DatasetShape((4, 6, 3), 5), 7, seed=1)
    assert data.train.images.shape == (7, 4, 6, 3)
    assert set(data.train.labels) <= set(range(5))
    taken = list(trial.steps(settings, 3, noise=1000))
    found = trial.bill(settings, taken, images=1600)
    assert found.steps == 3 * 100
    assert found.memory_bytes > 1 << 20
    told = str(Bill(2.0, 1.0, 3 << 30, 900))
    assert told.startswith(
        "2 s a step (1 s of the processor), 3.00 GiB a process; all 900 steps of the recipe would take 0.5 h"
    )
    assert "Nothing is trained" in told


def test_steps_end_with_the_training_and_go_through_it_as_it_does(
    settings: TrainingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The base-net begins where it would; noise comes again until an epoch of the whole set is over."""
    late = with_train(settings, epochs=2, batch=16, base_start=0.5)
    assert len(list(trial.steps(late, 9, noise=64))) == 2 * 4
    seen: list[float] = []
    monkeypatch.setattr(Lesson, "reached", lambda self, share: seen.append(share))
    assert len(list(trial.steps(late, 5, noise=64))) == 5
    assert seen == [0, 1 / 8, 2 / 8, 3 / 8, 4 / 8]


def test_one_step_is_no_measurement(settings: TrainingSettings) -> None:
    with pytest.raises(DimmerError, match="there is no second one"):
        trial.bill(settings, list(trial.steps(settings, 1, noise=64)), images=64)


@pytest.mark.parametrize(("images", "says"), [(7, "7 images are fewer than a batch of 16")])
def test_noise_of_less_than_a_batch_is_refused(settings: TrainingSettings, images: int, says: str) -> None:
    with pytest.raises(DimmerError, match=says):
        list(trial.steps(settings, 2, noise=images))


def test_a_set_smaller_than_a_batch_is_refused(settings: TrainingSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "load_dataset", lambda name: bright_or_dark())
    with pytest.raises(DimmerError, match="70 images are fewer than a batch of 128"):
        next(trial.steps(with_train(settings, batch=128), 2))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "tiny").mkdir()
    path = tmp_path / "tiny" / "recipe.toml"
    path.write_text(RECIPE.replace("batch = 16", "batch = 64"))
    return path


def torchrun(*words: str, namespace: str = "") -> subprocess.Popen[str]:
    inside = ["ip", "netns", "exec", namespace] if namespace else []
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [*inside, sys.executable, "-m", "torch.distributed.run", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, start_new_session=True, **pipes)  # type: ignore[call-overload, no-any-return]


def losses_in(text: str) -> list[tuple[float, float]]:
    found = re.findall(r"super-net ([\d.e+-]+), base-net ([\d.e+-]+),", text)
    assert len(found) == 20, text
    return [(float(one), float(other)) for one, other in found]


def assert_same_losses(found: str, alone: str) -> None:
    for one, other in zip(losses_in(found), losses_in(alone), strict=True):
        assert one == pytest.approx(other, rel=TOLERANCE, abs=1e-5)


def steps_of(model: Path) -> tuple[str, ...]:
    return ("-m", "dimmer.pipeline.trial", "--model", str(model), "--lr", SLOW_LR)


@pytest.mark.slow
def test_torchrun_gives_the_losses_of_one_process(model: Path) -> None:
    alone = subprocess.run([sys.executable, *steps_of(model)], capture_output=True, text=True, check=True, cwd=ROOT)
    both, _ = torchrun("--nproc-per-node", "2", "--standalone", *steps_of(model)).communicate(timeout=300)
    assert_same_losses(both, alone.stdout)


@pytest.fixture
def hosts() -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Two network namespaces with a cable between them: name and address of each."""
    made = [(f"dimmer{os.getpid()}{end}", f"10.77.0.{number}") for number, end in enumerate("ab", 1)]
    (one, _), (other, _) = made
    try:
        for name, _ in made:
            subprocess.run(["ip", "netns", "add", name], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        why = getattr(error, "stderr", "") or str(error)
        subprocess.run(["sh", "-c", f"ip netns del {one}"], capture_output=True)
        pytest.skip(f"no network namespace can be made here: {why.strip()}")
    try:
        cable = ["ip", "link", "add", "eth0", "netns", one, "type", "veth", "peer", "name", "eth0", "netns", other]
        subprocess.run(cable, check=True)
        for name, address in made:
            for words in (f"addr add {address}/24 dev eth0", "link set eth0 up", "link set lo up"):
                subprocess.run(["ip", "-n", name, *words.split()], check=True)
        yield made[0], made[1]
    finally:
        for name, _ in made:
            subprocess.run(["ip", "netns", "del", name], check=False)


@pytest.mark.slow
def test_two_hosts_give_the_losses_of_one_process(
    model: Path, hosts: tuple[tuple[str, str], tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "eth0")
    alone = subprocess.run([sys.executable, *steps_of(model)], capture_output=True, text=True, check=True, cwd=ROOT)
    running = []
    for number, (name, address) in enumerate(hosts):
        place = ("--nnodes", "2", "--nproc-per-node", "1", "--node-rank", str(number), "--local-addr", address)
        meet = ("--master-addr", hosts[0][1], "--master-port", "29577")
        running.append(torchrun(*place, *meet, *steps_of(model), namespace=name))
    said = [process.communicate(timeout=300)[0] for process in running]
    assert all(process.returncode == 0 for process in running), said
    assert_same_losses(said[0], alone.stdout)


def kill_one_worker(folder: Path) -> int:
    """Waits until an epoch is saved, then kills the worker of rank 1 as a lack of memory would."""
    for _ in range(600):
        if (folder / "state.safetensors").is_file():
            break
        time.sleep(0.1)
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words, environment = (place / "cmdline").read_bytes(), (place / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in words and b"\0RANK=1\0" in b"\0" + environment:
            os.kill(int(place.name), signal.SIGKILL)
            return int(place.name)
    raise AssertionError("no worker of rank 1 runs")


@pytest.mark.slow
def test_a_killed_worker_is_started_again_and_the_result_is_the_same(model: Path, tmp_path: Path) -> None:
    results = []
    for killed in (False, True):
        out = tmp_path / f"out{killed}"
        words = ("-m", "dimmer.pipeline.train", "--model", str(model), "--out", str(out), "--epochs", "3")
        running = torchrun("--nproc-per-node", "2", "--max-restarts", "2", "--standalone", *words)
        if killed:
            assert kill_one_worker(out)
        said, _ = running.communicate(timeout=400)
        assert running.returncode == 0, said
        results.append(load_checkpoint(out / "checkpoint.safetensors"))
    (one, record), (other, again) = results
    assert record == again
    assert all(torch.equal(one[name], other[name]) for name in one)
