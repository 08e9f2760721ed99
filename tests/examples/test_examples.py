# SPDX-License-Identifier: Apache-2.0
"""The examples' READMEs are typed as they stand, with small models in place of those that a build would leave."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from dimmer.firmware_gen.emit.known_answers import KnownAnswers
from dimmer.firmware_gen.emit.plan import PlanConfig, Point
from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.features.audio import features_and_levels
from dimmer.firmware_gen.features.detector import NOTHING, activity, detections
from dimmer.firmware_gen.features.presets import MLPERF_KWS
from dimmer.firmware_gen.features.tables import AudioTables
from dimmer.firmware_gen.generate import GeneratedModel, generate
from dimmer.firmware_gen.library import kernel_sources
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.pipeline.recipe.front_end import Surroundings, features_of, surroundings
from dimmer.targets import load_target
from tests.firmware_gen.features.signals import random_windows
from tests.firmware_gen.harness import WARNINGS
from tests.firmware_gen.modes import MODES, write_modes
from tests.firmware_gen.networks import tiny_keywords, tiny_resnet

EXAMPLES = ROOT / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/README.md"))
TOLD_ELSEWHERE = ("two_models", "cpp_host", "battery_loop")
"""Slow: `tests/firmware_gen/test_two_models.py` has such programs, too."""
MARKS = {"bare_metal": pytest.mark.board("mps2-an386"), **dict.fromkeys(TOLD_ELSEWHERE, pytest.mark.slow)}
MARKED = [pytest.param(name, marks=MARKS.get(name, ())) for name in NAMES]
LINES_OF_PROSE = 3
KERNELS = "firmware_gen/runtime/kernels/*/*.c"


def commands(name: str) -> str:
    (block,) = re.findall(r"^```sh\n(.*?)^```", (EXAMPLES / name / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    return str(block)


def write_build(builds: Path, model: str, target: str, wrong: bool, plan: PlanConfig | None = None) -> GeneratedModel:
    """The C that a build of a model would leave, of a small network: three modes, or one for cifar10-r14.

    Args:
        wrong: whether one bit of its first known answer is not the interpreter's.
        plan: for a governor.
    """
    folder = builds / model / target
    folder.mkdir(parents=True)
    if model == "cifar10-r14":
        (folder / "resnet.tflite").write_bytes(tiny_resnet())
        modes: tuple[ModeSource, ...] = (ModeSource("88", folder / "resnet.tflite"),)
    else:
        modes = write_modes(folder)
    both = sample_inputs(modes[0].path, 1)
    image = both[len(both) // 2 :]
    outputs = [bytearray(reference_outputs(mode.path, image)) for mode in modes]
    outputs[0][0] ^= wrong
    answers = KnownAnswers(image, tuple(map(bytes, outputs)))
    core = "host" if target == "host" else load_target(target).core
    policy = replace(even_policy(len(modes)), plan=plan)
    return generate(modes, folder, policy, answers, name=model, core=core)


def write_keywords(builds: Path) -> tuple[Surroundings, tuple[str, ...]]:
    """What the README of keyword_stream makes first, of a network of random weights, and a detector that it reaches."""
    folder = builds / "kws" / "host"
    folder.mkdir(parents=True)
    network = folder.parent / "kws.tflite"
    network.write_bytes(tiny_keywords())
    model = generate([ModeSource("all", network)], folder, name="kws", core="host")
    section = features_of(EXAMPLES / "keyword_stream" / "features.toml")
    section = replace(section, detector=replace(section.detector, threshold=0.1, classes=tuple(range(12))))
    graph = read_tflite(network)
    around = surroundings(section, graph.tensors[graph.input], graph.tensors[graph.output])
    for name, text in around.files("kws").items():
        (folder / name).write_text(text)
    return around, tuple(model.kernels)


def heard(around: Surroundings, network: Path, samples: npt.NDArray[np.int16]) -> list[str]:
    """What the example prints, by the references of features and detector and by the interpreter."""
    assert isinstance(around.front, AudioTables)
    assert around.detector is not None
    assert around.activity is not None
    rows, levels = features_and_levels(around.front, samples)
    active = activity(around.activity, levels)
    ends = range(49, len(rows) + 1, 5)
    run = [end for end in ends if active[end - 1]]
    inputs = b"".join(rows[end - 49 : end].tobytes() for end in run)
    scores = np.frombuffer(reference_outputs(network, inputs), dtype=np.int8).reshape(-1, 12)
    words = [(end, word) for end, word in zip(run, detections(around.detector, scores), strict=True) if word != NOTHING]
    said = [f"row {end}: word {word}" for end, word in words]
    return [*said, f"{len(rows)} rows, {len(run)} inferences, {len(ends) - len(run)} left out"]


def test_the_keyword_stream_hears_what_the_references_say(tmp_path: Path) -> None:
    around, kernels = write_keywords(tmp_path / "build")
    done = type_in("keyword_stream", tmp_path / "build", kernels=kernels)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "149 rows, 0 inferences, 21 left out\n"
    samples = random_windows(MLPERF_KWS, 200, seed=1)
    samples[: 70 * 320] = 3
    program = tmp_path / "build" / "examples" / "keyword_stream"
    stream = subprocess.run([program], input=samples.tobytes(), capture_output=True, check=True)
    wanted = heard(around, tmp_path / "build" / "kws" / "kws.tflite", samples)
    assert stream.stdout.decode().splitlines() == wanted
    assert len(wanted) > 3
    assert " 0 inferences" not in wanted[-1]
    assert ", 0 left out" not in wanted[-1]


def type_in(
    name: str, builds: Path, wrong: bool = False, plan: PlanConfig | None = None, kernels: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Runs a README's commands in a checkout whose build folder is another one, with every warning an error.

    Not as it is written, they compile the kernels that are needed, not all: the linker takes no others.
    """
    needed = set(map(str, kernel_sources(kernels))) if kernels else set()
    for model, target in set(re.findall(r"build/([\w-]+-r14)/([\w-]+)", commands(name))):
        needed.update(map(str, kernel_sources(write_build(builds, model, target, wrong, plan).kernels)))
    checkout = builds.parent / "checkout"
    checkout.mkdir()
    for folder in ("examples", "firmware_gen", "targets"):
        (checkout / folder).symlink_to(ROOT / folder)
    (checkout / "build").symlink_to(builds)
    script = commands(name).replace(f"examples/{name}/main.c ", f"{' '.join(WARNINGS)} examples/{name}/main.c ")
    if wrong or plan or kernels:
        assert KERNELS in script, "the README compiles otherwise"
        script = script.replace(KERNELS, " ".join(sorted(needed)))
    return subprocess.run(["bash", "-euc", script], cwd=checkout, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", [param for param in MARKED if param.values != ("keyword_stream",)])
def test_an_example_builds_and_its_results_are_right(name: str, tmp_path: Path) -> None:
    if name == "cpp_host" and shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    done = type_in(name, tmp_path / "build")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stderr
    if name == "cpp_host":
        assert done.stdout.splitlines() == [f"mode {mode}: as TFLite computes it" for mode in range(len(MODES))]
    if name == "two_models":
        assert done.stdout == "0 of 6 results differ\n"
    if name == "battery_loop":
        modes = [int(mode) for mode in re.findall(r"permille: mode (\d)", done.stdout)]
        assert modes == sorted(modes)
        assert set(modes) == set(range(len(MODES)))


@pytest.mark.slow
def test_the_battery_loop_with_a_governor(tmp_path: Path) -> None:
    """Twice the store's ten hours are to be lasted: the governor mixes, leaves out, and keeps its reserve."""
    points = (Point(10_000, 2), Point(15_000, 1), Point(40_000, 0))
    plan = PlanConfig(points, 150, 0, 0, 3_600_000, 3600, 36_000, 100)
    done = type_in("battery_loop", tmp_path / "build", plan=plan)
    assert done.returncode == 0, done.stdout + done.stderr
    said = re.findall(r"(\d+) permille: (\w+)", done.stdout)
    assert [int(charge) for charge, _ in said] == list(range(1000, -1, -100))
    assert {what for _, what in said[:3]} == {"mode"}
    assert said[-1] == ("0", "stopped")


@pytest.mark.slow
@pytest.mark.board("mps2-an386")
def test_the_bare_metal_loop_finds_a_wrong_result(tmp_path: Path) -> None:
    """Its exit code is all that it says: one for each of the two rounds in the mode whose answer is wrong."""
    assert type_in("bare_metal", tmp_path / "build", wrong=True).returncode == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_readme_is_short(name: str) -> None:
    before = (EXAMPLES / name / "README.md").read_text().split("```sh")[0]
    assert len([line for line in before.splitlines()[1:] if line]) <= LINES_OF_PROSE
    assert f"({name}/README.md)" in (EXAMPLES / "README.md").read_text()


def test_there_are_the_five() -> None:
    assert NAMES == ["bare_metal", "battery_loop", "cpp_host", "keyword_stream", "two_models"]
