# SPDX-License-Identifier: Apache-2.0
"""The application around a small generated model with one block that can be skipped, on host and board."""

from __future__ import annotations

import dataclasses
import itertools
import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from _pytest.mark.structures import ParameterSet

from dimmer.firmware_gen.emit.known_answers import KnownAnswers
from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier
from dimmer.firmware_gen.generate import GeneratedModel, generate
from dimmer.firmware_gen.library import INCLUDE
from dimmer.firmware_gen.library import sources as runtime_sources
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.targets import APPLICATION, Target, TargetError, load_target
from tests.boards import EVERY_TARGET, SIMULATED, SIMULATED_PARAMS, rest_slow
from tests.firmware_gen.runtime.c_library import ASSERTING, SANITIZED
from tests.firmware_gen.runtime.one_op import reference
from tests.firmware_gen.tflite_builder import Layers

FULL, SKIPPED = "88", "80"
IMAGE = (1, 8, 8, 3)
CLASSES = 10
POLICY = PolicyConfig(tiers=(Tier(500, 3300, 0), Tier(0, 0, 1)), dwell_s=60, hysteresis_permille=50)


@dataclass(frozen=True)
class App:
    target: Target
    elf: Path
    model: GeneratedModel
    files: tuple[bytes, bytes]

    def events(self, folder: Path, *args: str, count: bool = False) -> list[dict[str, object]]:
        result = self.target.run(self.elf, args, folder, count)
        assert result.returncode == 0, result.stdout
        return [json.loads(line) for line in result.stdout.splitlines()]


def write_modes(folder: Path) -> tuple[tuple[ModeSource, ModeSource], tuple[bytes, bytes]]:
    """Two files: stem, block, head; and the same without the block."""
    layers = Layers(3)
    image = layers.activation(IMAGE)
    stem = layers.conv(image, 8, activation="RELU")
    before = len(layers.operators)
    block = layers.residual(stem)
    after = len(layers.operators)
    scores = layers.softmax(layers.dense(layers.reshape(block, [1, 512]), CLASSES))
    full = layers.build(image, scores)
    layers.operators[after].inputs[0] = stem
    del layers.operators[before:after]
    skipped = layers.build(image, scores)
    names = [layers.tensors[index].name for index in (stem, block)]
    sources = []
    for name, file, boundaries in ((FULL, full, names), (SKIPPED, skipped, [names[0]] * 2)):
        path = folder / f"{name}.tflite"
        path.write_bytes(file)
        sources.append(ModeSource(name, path, tuple(boundaries)))
    return (sources[0], sources[1]), (full, skipped)


def random_image(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-128, 128, IMAGE).astype(np.int8)


def build(target: Target, folder: Path, *, honest: bool = True) -> App:
    sources, files = write_modes(folder)
    image = random_image(0)
    answers = [reference(file, image).tobytes() for file in files]
    assert answers[0] != answers[1]
    model = generate(
        sources, folder / "c", POLICY, KnownAnswers(image.tobytes(), tuple(answers[:: 1 if honest else -1]))
    )
    elf = target.compile(
        [*model.sources, *runtime_sources(model.kernels), *APPLICATION], [folder / "c", INCLUDE], folder / "out"
    )
    return App(target, elf, model, files)


def built_once(param: object) -> object:
    """The tests of one application are one worker's, which builds it."""
    name, marks = (param.values[0], param.marks) if isinstance(param, ParameterSet) else (param, ())
    return pytest.param(name, marks=[*marks, pytest.mark.xdist_group(f"the application on {name}")])


CHOSEN = rest_slow(EVERY_TARGET, "host", "mps2-an386", "mps2-an385-v6m", "riscv-virt")


@pytest.fixture(scope="module", params=list(map(built_once, ["sanitized", *CHOSEN, *SIMULATED_PARAMS])))
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> App:
    target = load_target("host" if request.param == "sanitized" else request.param)
    if request.param == "sanitized":
        toolchain = dataclasses.replace(target.toolchain, flags=("-O1", *SANITIZED, *ASSERTING))
        target = dataclasses.replace(target, toolchain=toolchain)
    return build(target, tmp_path_factory.mktemp("app"))


def test_selftest(app: App, tmp_path: Path) -> None:
    assert app.events(tmp_path, "selftest") == [
        {"event": "selftest", "mode": FULL, "ok": True},
        {"event": "selftest", "mode": SKIPPED, "ok": True},
    ]


def test_a_wrong_known_answer_fails_the_selftest(tmp_path: Path) -> None:
    app = build(load_target("host"), tmp_path, honest=False)
    result = app.target.run(app.elf, ["selftest"], tmp_path)
    assert result.returncode == 1
    assert [json.loads(line)["ok"] for line in result.stdout.splitlines()] == [False, False]


def records(plans: list[tuple[int, ...]], images: list[np.ndarray]) -> bytes:
    header = b"DMV1" + struct.pack("<4I", len(plans), images[0].nbytes, CLASSES, 3)
    return header + b"".join(bytes(plan) + image.tobytes() for plan, image in zip(plans, images, strict=True))


def test_verify_switches_between_blocks(app: App, tmp_path: Path) -> None:
    plans = list(itertools.product((0, 1), repeat=3))
    images = [random_image(seed) for seed in range(len(plans))]
    (tmp_path / "in.bin").write_bytes(records(plans, images))
    assert app.events(tmp_path, "verify", "in.bin", "out.bin") == []
    # Stem and head are the same in both modes: the mode at the block decides.
    expected = b"".join(
        reference(app.files[plan[1]], image).tobytes() + bytes(plan) for plan, image in zip(plans, images, strict=True)
    )
    assert (tmp_path / "out.bin").read_bytes() == expected


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"DMV2" + data[4:], "do not start with a DMV1 header"),
        (lambda data: b"", "do not start with a DMV1 header"),
        (lambda data: data[:8] + bytes(4) + data[12:], "a model of other sizes"),
        (lambda data: data[:-1], "end too early"),
        (lambda data: data[:20] + b"\2" + data[21:], "a mode that the model does not have"),
    ],
)
def test_verify_refuses_what_is_damaged(app: App, tmp_path: Path, damage: object, message: str) -> None:
    assert callable(damage)
    (tmp_path / "in.bin").write_bytes(damage(records([(0, 0, 0)], [random_image(0)])))
    with pytest.raises(TargetError, match=message):
        app.events(tmp_path, "verify", "in.bin", "out.bin")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["verify", "none.bin", "out.bin"], "the file of records cannot be opened"),
        (["verify", "in.bin", "none/out.bin"], "the file of results cannot be opened"),
        (["battery", "none.csv"], "the battery curve cannot be opened"),
        (["verify"], "say selftest, verify IN OUT, gated IN OUT, bench, layers or battery CURVE"),
        (["lamp"], "say selftest"),
    ],
)
def test_a_wrong_command_says_so(app: App, tmp_path: Path, words: list[str], message: str) -> None:
    (tmp_path / "in.bin").write_bytes(b"")
    with pytest.raises(TargetError, match=message):
        app.events(tmp_path, *words)


def test_bench(app: App, tmp_path: Path) -> None:
    full, skipped, switch, stack = app.events(tmp_path, "bench", count=True)
    assert (full["mode"], skipped["mode"]) == (FULL, SKIPPED)
    assert (switch["event"], stack["event"]) == ("switch", "stack")
    counts = [event["instructions"] for event in (full, skipped, switch)]
    if not app.target.counts_instructions:
        assert counts == [None, None, None]
        assert stack["bytes"] is None
        return
    assert all(isinstance(count, int) for count in counts)
    # No core here begins more than one instruction a cycle.
    for event in (full, skipped):
        assert ("cycles" in event) == app.target.counts_cycles
        assert int(str(event.get("cycles", event["instructions"]))) >= int(str(event["instructions"]))
    assert int(str(counts[0])) > int(str(counts[1])) > 10_000
    assert 0 < int(str(counts[2])) < 200
    assert 100 < int(str(stack["bytes"])) < 1024
    if app.target.name in SIMULATED:
        # Its counter is the core's own, and each inference takes half a minute.
        return
    # Without the counter's option the same program says null rather than noise.
    blind = app.events(tmp_path, "bench")[0]
    assert blind["instructions"] is None
    assert "cycles" not in blind


def test_the_layers_add_up_to_the_inference(app: App, tmp_path: Path) -> None:
    events = app.events(tmp_path, "layers", count=True)
    for mode in (FULL, SKIPPED):
        steps = [event for event in events if event["mode"] == mode]
        layers = [app.model.steps[int(str(event["step"]))] for event in steps]
        assert sum(layer.macs for layer in layers) == app.model.macs[app.model.modes.index(mode)]
        if app.target.counts_instructions:
            whole = next(e for e in app.events(tmp_path, "bench", count=True) if e.get("mode") == mode)
            for unit in ("instructions", *(["cycles"] if app.target.counts_cycles else [])):
                parts = sum(int(str(event[unit])) for event in steps)
                # The engine's own loop is the rest, which first compares pointers and counts with their twins; the
                # counter's reading falls into every part.
                assert abs(int(str(whole[unit])) - parts) < 1200 + 40 * len(steps)
        else:
            assert {event["instructions"] for event in steps} == {None}


def test_battery_follows_the_policy(app: App, tmp_path: Path) -> None:
    (tmp_path / "curve.csv").write_text(
        "time_s,charge_permille,millivolts,harvest_ua\n"
        "0,560,4000,0\r\n"
        "10, 499, 4000, 0\n"
        "\n"
        "20,549,4000,0\n"
        "30,600,4000,0\n"
        "90,600,4000,12\n"
        "100,600,3299,0"
    )
    events = app.events(tmp_path, "battery", "curve.csv")
    assert [event["mode"] for event in events] == [FULL, SKIPPED, SKIPPED, SKIPPED, FULL, SKIPPED]
    assert [event["time_s"] for event in events] == [0, 10, 20, 30, 90, 100]
    classes = [int(reference(file, random_image(0)).argmax()) for file in app.files]
    assert [event["class"] for event in events] == [classes[event["mode"] == SKIPPED] for event in events]


@pytest.mark.parametrize(
    "line",
    [
        "0,1001,4000,0",
        "0,900,4000",
        "0,900,70000,0",
        "60,500.5,3700,0",
        "120,-5,3700,0",
        "240;400;3600;0",
        "180,4294967396,3600,0",
        "180,400,3600,0,1",
        "time_s,charge_permille,millivolts,harvest_ua",
    ],
)
def test_battery_refuses_a_bad_line(app: App, tmp_path: Path, line: str) -> None:
    (tmp_path / "curve.csv").write_text(f"0,900,4000,0\n{line}\n")
    with pytest.raises(TargetError, match="a line of the battery curve is not time_s"):
        app.events(tmp_path, "battery", "curve.csv")


def test_without_a_command_it_demonstrates_itself(app: App, tmp_path: Path) -> None:
    if app.target.counts_cycles:
        pytest.skip("33 inferences take long on a simulated core")
    events = app.events(tmp_path)
    assert [event["event"] for event in events[:2]] == ["selftest", "selftest"]
    modes = [event["mode"] for event in events[2:]]
    assert modes[0] == FULL
    assert modes[20] == SKIPPED
    assert modes[-1] == FULL


@pytest.mark.board
def test_code_is_small(tmp_path: Path) -> None:
    app = build(load_target("mps2-an386"), tmp_path)
    sizes = app.target.size(app.elf)
    own = tuple(
        name for name in sizes.by_symbol if name.startswith("dimmer_") and not name.startswith(app.model.symbol)
    )
    assert len(own) > 10
    code = [sizes.by_symbol[name] for name in own]
    assert sum(code) < 8192
    assert sizes.text < 12 * 1024
    assert "printf" not in sizes.by_symbol
    assert "malloc" not in sizes.by_symbol
