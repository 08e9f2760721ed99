# SPDX-License-Identifier: Apache-2.0
"""Inputs that find what random ones alone do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.oracle.interpreter import OracleFailure
from dimmer.pipeline.oracle.sample_inputs import float_limits, index_limits, sample_inputs
from tests.firmware_gen.harness import Case, assert_exact
from tests.firmware_gen.logic_cases import tiny_words
from tests.firmware_gen.networks import tiny_ends, tiny_mix
from tests.firmware_gen.tflite_builder import Layers, pack

SIZE = 3 * 4 * 5
INT32 = 2
"""As the files' schema counts types."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    net = Layers(0)
    x = net.activation([1, 3, 4, 5], 0.1, 7)
    path = tmp_path / "network.tflite"
    path.write_bytes(net.build(x, net.conv(x, 2)))
    return path


def rows(path: Path, count: int) -> np.ndarray:
    return np.frombuffer(sample_inputs(path, count), np.int8).reshape(-1, SIZE)


def test_the_first_half_are_edges_and_the_second_is_random(path: Path) -> None:
    found = rows(path, 10)
    assert len(found) == 20
    assert [set(row) for row in found[:3].tolist()] == [{-128}, {127}, {7}]
    assert set(found[3].tolist()) == set(found[4].tolist()) == {-128, 127}
    assert (found[3] != found[4]).all()
    assert found[5].astype(np.uint8).tolist() == list(range(SIZE))
    assert all(len(set(row)) > SIZE // 3 for row in found[10:].tolist())


def test_further_edges_are_sparse_constant_two_valued_or_have_one_outlier(path: Path) -> None:
    found = rows(path, 14)
    assert len(set(found[7].tolist())) == 1
    assert np.count_nonzero(found[8] != 7) <= SIZE // 50 + 1
    assert set(found[9].tolist()) <= {-128, 127}
    assert len(set(found[10].tolist())) <= 2


def test_they_are_the_same_every_time(path: Path) -> None:
    assert sample_inputs(path, 12) == sample_inputs(path, 12)


def test_a_float_input_gets_float_edges(tmp_path: Path) -> None:
    path = tmp_path / "mix.tflite"
    path.write_bytes(tiny_mix())
    found = np.frombuffer(sample_inputs(path, 9), "<f4").reshape(18, -1)
    assert found[:9, 0].tolist() == np.array([0, 1, -1, 255, -128, 1e-9, 1e5, -1e5, 0], np.float32).tolist()
    assert np.isfinite(found).all()
    assert found[9:].std() > 0


def test_several_inputs_lie_side_by_side_in_each_sample(tmp_path: Path) -> None:
    path = tmp_path / "ends.tflite"
    path.write_bytes(tiny_ends())
    found = np.frombuffer(sample_inputs(path, 4), np.int8).reshape(8, 60)
    assert set(found[0].tolist()) == {-128}
    assert set(found[2, :48].tolist()) == {118}
    assert set(found[2, 48:].tolist()) == {-55}


def test_indexes_are_indexes_and_flags_are_flags(tmp_path: Path) -> None:
    path = tmp_path / "words.tflite"
    path.write_bytes(tiny_words())
    assert index_limits(read_tflite(path)) == {0: 9}
    found = sample_inputs(path, 20)
    rows = [found[at : at + 20] for at in range(0, len(found), 20)]
    words = np.array([np.frombuffer(row[:16], "<i4") for row in rows])
    flags = np.array([np.frombuffer(row[16:], np.uint8) for row in rows])
    assert len(rows) == 40
    assert set(words.ravel().tolist()) == set(range(9))
    assert set(flags.ravel().tolist()) == {0, 1}


def test_whole_numbers_are_of_all_sizes(tmp_path: Path) -> None:
    net = Layers(0)
    x = net.tensor("numbers", [1, 4], "int32")
    path = tmp_path / "numbers.tflite"
    path.write_bytes(net.build(x, net.operator("CAST", [x], net.tensor("y", [1, 4], "float32"))))
    assert index_limits(read_tflite(path)) == {}
    found = np.frombuffer(sample_inputs(path, 20), "<i4").reshape(40, 4)
    assert {0, 1, -1, 2**31 - 1, -(2**31)} <= set(found.ravel().tolist())
    assert len(np.unique(np.abs(found.astype(float)) // 2**20)) > 10


def float_ends(scale: float, dtype: str, zero_point: int) -> bytes:
    net = Layers(1)
    x, y = net.tensor("x", [1, 8], "float32"), net.tensor("y", [1, 8], "float32")
    codes = net.tensor("codes", [1, 8], dtype, scale, zero_point)
    net.operator("QUANTIZE", [x], codes)
    made = net.operator("RELU", [codes], net.tensor("made", [1, 8], dtype, scale, zero_point))
    net.operator("DEQUANTIZE", [made], y)
    return pack(net.model([x], [y]))


@pytest.mark.parametrize(
    ("scale", "dtype", "zero_point"), [(1 / 32768, "int16", 0), (8 / 32768, "int16", 0), (0.1 / 255, "int8", -128)]
)
def test_numbers_that_are_quantised_are_within_the_interpreter_s_own_cast(
    tmp_path: Path, scale: float, dtype: str, zero_point: int
) -> None:
    """It gave the other end of the codes, and a right firmware was called wrong."""
    path = tmp_path / "ends.tflite"
    path.write_bytes(float_ends(scale, dtype, zero_point))
    (largest,) = float_limits(read_tflite(path)).values()
    assert largest == pytest.approx(2**30 * scale)
    found = sample_inputs(path, 100)
    assert np.abs(np.frombuffer(found, "<f4")).max() == np.float32(largest)
    assert_exact([Case("ends", path, found)], tmp_path / "built")


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint8"])
def test_indexes_of_few_bits_are_indexes(tmp_path: Path, dtype: str) -> None:
    net = Layers(1)
    ids = net.tensor("ids", [1, 5], dtype, 1.0, 0)
    wide = net.operator("CAST", [ids], net.tensor("wide", [1, 5], "int32"))
    table = net.tensor("table", [6, 4], "int8", 0.1, 0, 0, net.random.integers(-128, 128, (6, 4)))
    made = net.operator("GATHER", [table, wide], net.tensor("made", [1, 5, 4], "int8", 0.1, 0), axis=0)
    path = tmp_path / "ids.tflite"
    path.write_bytes(pack(net.model([ids], [made])))
    assert index_limits(read_tflite(path)) == {0: 6}
    found = sample_inputs(path, 30)
    assert set(np.frombuffer(found, "<i2" if dtype == "int16" else np.int8).tolist()) == set(range(6))
    assert_exact([Case("ids", path, found)], tmp_path / "built")


def test_indexes_that_are_computed_exist_in_all_samples(tmp_path: Path) -> None:
    def network(rows: int) -> bytes:
        net = Layers(1)
        x = net.activation([1, 8], 0.1, 0)
        place = net.operator(
            "ARG_MAX", [x, net.constant("axis", 1)], net.tensor("place", [1], "int32"), outputType=INT32
        )
        table = net.tensor("table", [rows, 2], "int8", 0.1, 0, 0, net.random.integers(-128, 128, (rows, 2)))
        made = net.operator("GATHER", [table, place], net.tensor("made", [1, 2], "int8", 0.1, 0), axis=0)
        return pack(net.model([x], [made]))

    path = tmp_path / "computed.tflite"
    path.write_bytes(network(3))
    assert index_limits(read_tflite(path)) == {}
    found = np.frombuffer(sample_inputs(path, 3), np.int8).reshape(6, 8)
    assert (found.argmax(1) < 3).all()
    assert len(set(map(bytes, found))) > 3


def test_without_any_index_that_exists_there_is_a_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "words.tflite"
    path.write_bytes(tiny_words())
    monkeypatch.setattr("dimmer.pipeline.oracle.sample_inputs._computes_indexes", lambda _graph: True)
    monkeypatch.setattr(
        "dimmer.pipeline.oracle.sample_inputs.run_oracle", lambda jobs: [OracleFailure("out of bounds") for _ in jobs]
    )
    with pytest.raises(DimmerError, match=r"none gives indexes that exist \(out of bounds\): have the network keep"):
        sample_inputs(path, 3)
