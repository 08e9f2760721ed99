# SPDX-License-Identifier: Apache-2.0
"""The C of a model for an NPU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.types import DType, Tensor
from dimmer.firmware_gen.npu.chain import LINE, whole
from dimmer.firmware_gen.npu.emit import npu_tables
from tests.firmware_gen.runtime.test_ethos_u import model_of, two_streams

ENDS = tuple(Tensor(name, (1, size), DType.INT8, None, None) for name, size in (("x", 20), ("y", 4)))

CHAINS = [whole(number, mode, 2000 - 1000 * number) for number, mode in enumerate(two_streams().modes)]


def test_one_blob_a_stream_a_mode_one_arena(tmp_path: Path) -> None:
    tables = npu_tables(two_streams(), CHAINS, (ENDS[0], ENDS[1]), PolicyConfig())
    assert tables.mode_macs == (2000, 1000)
    kinds = [(constant.role, constant.modes) for constant in tables.pool.constants]
    assert kinds == [
        ("weights, scales", (0, 1)),
        ("stream", (0,)),
        ("stream", (1,)),
        ("scales, packed", (1,)),
    ]
    assert all(constant.index % 16 == 0 for constant in tables.pool.constants)
    assert tables.memory.arena == LINE + 32 + 32 + 96 + 96
    assert (tables.memory.input_offset, tables.memory.output_offset) == (LINE, LINE + 32)
    assert tables.schedules == ((0,), (1,))


def test_the_files_say_for_which_npu(tmp_path: Path) -> None:
    model = model_of(tmp_path)
    assert "Command streams for ethos-u55-128" in (tmp_path / "dimmer_model_net.c").read_text()
    assert "_ARENA_ALIGN 32u" in (tmp_path / "dimmer_model_net.h").read_text()
    assert model.weight_bytes == 64 + 48 + 48 + 64
    first = {path.name: path.read_bytes() for path in model.files}
    assert first == {path.name: path.read_bytes() for path in model_of(tmp_path).files}


@pytest.mark.parametrize("change", [{"dtype": DType.FLOAT32}, {"shape": (1, 21)}])
def test_other_ends_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(FirmwareGenError, match="the input is"):
        npu_tables(two_streams(), CHAINS, (replace(ENDS[0], **change), ENDS[1]), PolicyConfig())  # type: ignore[arg-type]
