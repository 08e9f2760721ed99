# SPDX-License-Identifier: Apache-2.0
"""Modes in parts, as Vela's complaints decide."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.npu.compiled import CompiledMode
from dimmer.pipeline.artifacts.npu import part_file
from dimmer.pipeline.conversion.npu import parts
from dimmer.pipeline.conversion.npu.parts import compile_mode
from dimmer.pipeline.conversion.npu.split import Splitter
from dimmer.pipeline.conversion.npu.vela import WAY_OUT, Estimate, Stays, StaysError
from dimmer.targets.kit.npu import Npu
from tests.firmware_gen.runtime.test_ethos_u import two_streams
from tests.npu import NPU, mixed


class Vela:
    """In its place: leaves operators to the core, of those that `leaves` names at once one after the other."""

    def __init__(self, *leaves: str) -> None:
        self.leaves, self.runs = leaves, 0

    def __call__(self, name: str, file: str, content: bytes, npu: Npu, out: Path) -> tuple[CompiledMode, Estimate]:
        self.runs += 1
        splitter = Splitter(content)
        for kind in self.leaves:
            found = [tensor for k, tensor in zip(splitter.kinds, splitter.tensors, strict=True) if k == kind]
            if found:
                raise StaysError(f"{file}: the NPU does not take {kind}", (Stays(kind, found[0], "it is so"),))
        (out / f"{name}.npz").write_bytes(name.encode())
        return two_streams().modes[0], Estimate(100, 500.0, 20, 3)


@pytest.fixture
def tflite(tmp_path: Path) -> Path:
    path = tmp_path / "88.tflite"
    path.write_bytes(mixed())
    return path


def test_a_mode_becomes_a_chain(tflite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "compile_stream", Vela("MEAN", "REVERSE_V2"))
    found = compile_mode("88", tflite, NPU, tmp_path)
    assert [part.name for part in found.parts] == [f"88-{number}" for number in range(5)]
    left = [one for part in found.parts for one in part.on_core]
    assert [(one.operator, one.tensor, one.why) for one in left] == [
        ("MEAN", "mean", "it is so"),
        ("REVERSE_V2", "reversed", "it is so"),
    ]
    assert [stream.name for stream in found.streams] == ["88-0", "88-2", "88-4"]
    assert (found.estimate.cycles, found.estimate.clock_mhz, found.estimate.flash_bytes) == (300, 500.0, 9)
    assert sorted(path.name for path in tmp_path.glob("*.npz")) == ["88-0.npz", "88-2.npz", "88-4.npz"]
    assert all(part_file(tmp_path, part.name).is_file() for part in found.parts)
    found.forget(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["88.tflite"]


def test_a_mode_of_which_the_npu_takes_nothing_is_one_line(
    tflite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "compile_stream", Vela(*dict.fromkeys(Splitter(mixed()).kinds)))
    with pytest.raises(DimmerError, match="the NPU takes no operator of it") as caught:
        compile_mode("88", tflite, NPU, tmp_path)
    assert str(caught.value).endswith(WAY_OUT)


def test_what_is_left_again_ends(tflite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def vela(name: str, file: str, content: bytes, npu: Npu, out: Path) -> tuple[CompiledMode, Estimate]:
        raise StaysError(f"{file}: the NPU does not take MEAN", (Stays("MEAN", "mean", ""),))

    monkeypatch.setattr(parts, "compile_stream", vela)
    with pytest.raises(StaysError, match="does not take MEAN"):
        compile_mode("88", tflite, NPU, tmp_path)


def test_an_npu_without_a_model_has_no_chains(tflite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "compile_stream", Vela("MEAN"))
    with pytest.raises(StaysError, match="does not take MEAN"):
        compile_mode("88", tflite, replace(NPU, accelerator="ethos-u85-256"), tmp_path)
