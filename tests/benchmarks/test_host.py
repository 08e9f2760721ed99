# SPDX-License-Identifier: Apache-2.0
"""Wall times are compared turn by turn, and put into results.json only on demand."""

from pathlib import Path

import pytest

from dimmer.benchmarks import host
from dimmer.benchmarks.host import Engine, compare, measure, take_turns
from dimmer.benchmarks.results import HostTime
from tests.firmware_gen.networks import tiny_mix, tiny_resnet
from tests.tiny import TinyBuild


def engine(name: str, output: bytes = b"x") -> Engine:
    return Engine(name, lambda: None, lambda: output)


def test_ratios_are_of_one_turn() -> None:
    """A turn in which the machine was ten times as slow does not count."""
    found = compare("m", [engine("dimmer"), engine("other", b"y")], {"dimmer": [1, 10, 1], "other": [2, 20, 3]})
    assert found == [HostTime("m", "dimmer", 1, 1, True), HostTime("m", "other", 3, 2, False)]


def test_engines_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "SLICE_S", 0.0)
    order: list[str] = []
    engines = [Engine(name, lambda name=name: order.append(name), bytes) for name in "ab"]  # type: ignore[misc]
    times = take_turns(engines, 3)
    assert "".join(order) == "aabb" + "ab" * 3
    assert {name: len(found) for name, found in times.items()} == {"a": 3, "b": 3}


@pytest.mark.slow
@pytest.mark.parametrize("build", [tiny_resnet, tiny_mix], ids=lambda build: build.__name__)
def test_the_engines_agree(build: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "SLICE_S", 0.0)
    assert callable(build)
    path = tmp_path / "tiny.tflite"
    path.write_bytes(build())
    ours, reference, _, tvm = measure(path, 1)
    assert (ours.engine, ours.ratio, ours.exact) == ("dimmer", 1, True)
    assert reference.exact
    assert (tvm.engine, tvm.microseconds, tvm.exact) == ("TVM", None, None)
    assert "has no lowering for TVM" in tvm.note
    assert ours.microseconds
    assert reference.microseconds


@pytest.mark.slow
@pytest.mark.xdist_group("tiny")
def test_tvm_takes_its_turn(tiny_converted: TinyBuild, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "SLICE_S", 0.0)
    ours, reference, _, tvm = measure(tiny_converted.build / "convert" / "88.88.tflite", 1)
    assert (tvm.engine, tvm.exact, reference.exact, tvm.note) == ("TVM", True, True, "")
    assert tvm.microseconds
    assert ours.microseconds
