# SPDX-License-Identifier: Apache-2.0
"""What no NPU can be given in parts was refused without the operator that stays and without a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.npu.compiled import CompiledMode
from dimmer.pipeline.conversion.npu import parts, split
from dimmer.pipeline.conversion.npu.parts import compile_mode
from dimmer.pipeline.conversion.npu.vela import WAY_OUT, Estimate, Stays, StaysError, complaint
from dimmer.targets.kit.npu import Npu
from tests.firmware_gen.networks import tiny_recurrent
from tests.npu import NPU, mixed
from tests.pipeline.conversion.npu.test_parts import Vela


def test_a_state_names_its_operators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def vela(name: str, file: str, content: bytes, npu: Npu, out: Path) -> tuple[CompiledMode, Estimate]:
        stays = tuple(Stays(kind, "", "") for kind in ("SVDF", "SVDF", "LSTM"))
        raise StaysError(f"{file}: the NPU does not take it", stays)

    monkeypatch.setattr(parts, "compile_stream", vela)
    path = tmp_path / "mode.tflite"
    path.write_bytes(tiny_recurrent())
    with pytest.raises(DimmerError) as caught:
        compile_mode("mode", path, NPU, tmp_path)
    assert str(caught.value) == (
        "mode.tflite: it keeps a state from one inference to the next, and cannot be cut into parts "
        f"(SVDF, LSTM would stay on the core): {WAY_OUT}"
    )


def test_a_type_that_no_part_hands_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "_WIDTHS", {})
    monkeypatch.setattr(parts, "compile_stream", Vela("MEAN"))
    path = tmp_path / "mode.tflite"
    path.write_bytes(mixed())
    with pytest.raises(DimmerError) as caught:
        compile_mode("mode", path, NPU, tmp_path)
    assert str(caught.value).endswith(f"has a type that no part can hand on (MEAN would stay on the core): {WAY_OUT}")


def test_several_graphs_are_no_words_of_velas() -> None:
    said = complaint("RuntimeError: RawWriter expects 1 graph (found 2 graphs)", NPU)
    assert said == f"it keeps a state or has several graphs, which the NPU does not take: {WAY_OUT}"
