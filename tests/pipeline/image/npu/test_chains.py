# SPDX-License-Identifier: Apache-2.0
"""Compiled modes as the generator takes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.npu.chain import CorePart
from dimmer.firmware_gen.npu.compiled import End
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.artifacts.npu import part_file
from dimmer.pipeline.conversion.npu import parts
from dimmer.pipeline.conversion.npu.parts import Compiled, compile_mode
from dimmer.pipeline.image.npu.chains import chain_of, known_values
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.targets import load_target
from tests.firmware_gen.runtime.test_ethos_u import two_streams
from tests.firmware_gen.tflite_builder import Layers, pack
from tests.npu import NPU, mixed
from tests.pipeline.conversion.npu.test_parts import Vela

TARGET = load_target("ethos-u55-128")


def compiled(folder: Path, content: bytes, patch: pytest.MonkeyPatch) -> tuple[Compiled, Path]:
    path = folder / "88.tflite"
    path.write_bytes(content)
    patch.setattr(parts, "compile_stream", Vela("MEAN", "REVERSE_V2"))
    return compile_mode("88", path, NPU, folder), path


@pytest.mark.slow
def test_every_value_is_known_and_the_last_is_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mode, path = compiled(tmp_path, mixed(), monkeypatch)
    chain = chain_of(mode, 0, 1000, read_tflite(path), TARGET, tmp_path)
    assert [isinstance(part, CorePart) for part in chain.parts] == [False, True, False, True, False]
    given = bytes(range(216)) * 2
    answer = reference_outputs(path, given)
    values = known_values(mode, chain, given, answer, tmp_path)
    assert {value: len(content) for value, content in values.items()} == dict(chain.sizes)
    with pytest.raises(DimmerError, match="its parts make something else than the whole"):
        known_values(mode, chain, given, bytes(10), tmp_path)


def test_several_inputs_are_brought_to_a_stream(tmp_path: Path) -> None:
    stream = replace(two_streams().modes[0], inputs=(End(1, 0, 4), End(1, 16, 8)))
    layers = Layers(1)
    a, b = (layers.activation([1, size], 0.5, 3, name) for size, name in ((4, "a"), (8, "b")))
    joined = layers.operator("CONCATENATION", [a, b], layers.activation([1, 12], 0.5, 3, "both"), axis=1)
    path = tmp_path / "two.tflite"
    path.write_bytes(pack(layers.model([a, b], [joined])))
    stream = replace(stream, outputs=(End(1, 48, 12),))
    mode = Compiled("88", (), (stream,), None, False)  # type: ignore[arg-type]
    chain = chain_of(mode, 0, 7, read_tflite(path), TARGET, tmp_path)
    assert (chain.inputs, chain.outputs, chain.sizes) == (((0, 0), (1, 4)), ((2, 0),), {0: 4, 1: 8, 2: 12})
    assert known_values(mode, chain, bytes(range(12)), bytes(12), tmp_path)[1] == bytes(range(4, 12))


def test_what_the_core_cannot_do_is_one_line_with_operator_and_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mode, path = compiled(tmp_path, mixed(), monkeypatch)
    layers = Layers(1)
    x = layers.tensor("x", [1, 12, 12, 16], "int32")
    part_file(tmp_path, "88-1").write_bytes(
        layers.build(x, layers.operator("ABS", [x], layers.tensor("y", [1, 12, 12, 1], "int32")))
    )
    with pytest.raises(DimmerError, match=r"the NPU leaves MEAN \(mean\) to the core: .*--target mps3-an547") as caught:
        chain_of(mode, 0, 1000, read_tflite(path), TARGET, tmp_path)
    assert "\n" not in str(caught.value)
