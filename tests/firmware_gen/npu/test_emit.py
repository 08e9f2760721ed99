# SPDX-License-Identifier: Apache-2.0
"""The C of a model for an NPU."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.meaning import Meaning
from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.types import DType, Tensor
from dimmer.firmware_gen.library import INCLUDE
from dimmer.firmware_gen.npu.chain import LINE, whole
from dimmer.firmware_gen.npu.emit import npu_tables
from tests.firmware_gen.harness import WARNINGS
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


def test_the_headers_say_what_input_and_output_mean(tmp_path: Path) -> None:
    """As those of a core alone do: names of classes and channels, codes of values, units, limits of anomalies."""
    meaning = Meaning(
        channels=("x", "y"),
        offset=(-1.0, -2.0),
        step=(0.5, 0.25),
        units=("mm", "s", "A", "V"),
        mean=(1.0, 2.0, 3.0, 4.0),
        per_one=(1.0, 1.0, 1.0, 1.0),
        limits=(("88", 0.5), ("80", 0.25)),
    )
    model_of(tmp_path, ("up", "down", "left", "right"), meaning)
    own, general = ((tmp_path / name).read_text() for name in ("dimmer_model_net.h", "dimmer_model.h"))
    for macro in (
        "CLASS_COUNT",
        "CLASS_NAMES",
        "INPUT_CHANNEL_NAMES",
        "VALUE_MEANS",
        "VALUE_SCALES",
        "VALUE_UNITS",
        "ANOMALY_LIMITS",
    ):
        assert f"#define DIMMER_MODEL_NET_{macro} " in own
        assert f"#define DIMMER_MODEL_{macro} DIMMER_MODEL_NET_{macro}\n" in general
    assert '"left",' in own
    assert "ANOMALY_LIMITS {0.5f, 0.25f}" in own
    for function in ("input_code", "anomaly"):
        assert f" dimmer_model_net_{function}(" in own
        assert f"#define dimmer_model_{function} dimmer_model_net_{function}\n" in general
    command = ["gcc", "-std=c99", *WARNINGS, f"-I{INCLUDE}", "-fsyntax-only", str(tmp_path / "dimmer_model_net.c")]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stderr == ""


def test_a_class_without_an_element_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FirmwareGenError, match="3 names of classes for an output of 4 elements"):
        model_of(tmp_path, ("up", "down", "left"))


@pytest.mark.parametrize("change", [{"dtype": DType.FLOAT32}, {"shape": (1, 21)}])
def test_other_ends_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(FirmwareGenError, match="the input is"):
        npu_tables(two_streams(), CHAINS, (replace(ENDS[0], **change), ENDS[1]), PolicyConfig())  # type: ignore[arg-type]
