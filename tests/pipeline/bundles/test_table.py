# SPDX-License-Identifier: Apache-2.0
"""The table of a bundle is C that says what lies where, with the checksum of every file."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.pipeline.bundles.table import BundleTable, TableMode, table_source
from dimmer.pipeline.tvm.parts import TableTensor, TableWeight

TABLE = BundleTable(
    model='la"mp',
    version="0123",
    tvm_version="0.27.0",
    machine=62,
    library="lib/modes.so",
    gpu_library=None,
    gpu_code=None,
    weights_file="weights.bin",
    inputs="selftest/inputs.i8",
    samples=7,
    input=TableTensor((1, 4, 5, 3), 0.5, -128),
    output=TableTensor((1, 10), 0.1, 3),
    modes=(TableMode("88", "mode_0", "selftest/88.i8", (0, 1)), TableMode("80", "mode_1", "selftest/80.i8", ())),
    weights=(TableWeight("stem", "int8", (3, 3), 0, 9), TableWeight("bias", "int32", (), 64, 4)),
    files=("lib/modes.so", "weights.bin"),
    policy=even_policy(2),
)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "modes.so").write_bytes(b"library")
    (tmp_path / "weights.bin").write_bytes(bytes(68))
    return tmp_path


def test_files_stand_with_size_and_checksum(bundle: Path) -> None:
    text = table_source(TABLE, bundle)
    assert f'{{"lib/modes.so", 7u, 0x{zlib.crc32(b"library"):08x}u}},' in text
    assert f'{{"weights.bin", 68u, 0x{zlib.crc32(bytes(68)):08x}u}},' in text
    assert ".file_count = 2," in text


def test_weights_modes_and_tensors(bundle: Path) -> None:
    text = table_source(TABLE, bundle)
    assert "{0u, 9u, 0, 8, 2, {3, 3}}, /* 0: stem */" in text
    assert "{64u, 4u, 0, 32, 0, {0}}, /* 1: bias */" in text
    assert "static const uint16_t mode_0_weights[] = {0, 1};" in text
    assert '{"88", "mode_0", "selftest/88.i8", mode_0_weights, 2},' in text
    assert '{"80", "mode_1", "selftest/80.i8", NULL, 0},' in text
    assert ".height = 4, .width = 5, .channels = 3," in text
    scale = re.search(r"\.output = \{\.size = 10, \.scale = (\S+)f, \.zero_point = 3\}", text)
    assert scale is not None
    assert float.fromhex(scale[1]) == 0.1
    tiers = re.findall(r"\{(\d+), (\d+), (\d+), (\d+)\},", text.split(".tiers = {")[1])
    assert [int(mode) for _, _, mode, _ in tiers] == [0, 1]


def test_quotes_in_a_name_are_escaped(bundle: Path) -> None:
    assert '.model = "la\\"mp",' in table_source(TABLE, bundle)


def test_a_gpu_and_no_weights(bundle: Path) -> None:
    modes = (TableMode("88", "mode_0", "selftest/88.i8", ()),)
    bare = replace(TABLE, weights=(), modes=modes, gpu_library="lib/gpu.so", gpu_code="lib/gpu.cubin")
    text = table_source(bare, bundle)
    assert '.gpu_library = "lib/gpu.so",\n    .gpu_code = "lib/gpu.cubin",' in text
    assert "weights[]" not in text
    assert ".weights =" not in text
    assert ".gpu" not in table_source(TABLE, bundle)
