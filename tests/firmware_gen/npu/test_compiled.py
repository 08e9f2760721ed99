# SPDX-License-Identifier: Apache-2.0
"""Vela's output, good and hostile."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.npu.compiled import End, read_compiled
from dimmer.firmware_gen.npu.payload import Payload

PAYLOAD = Payload(0x100001, 0x1807, 0x10066001, (0xFFFF0000,)).pack()


def arrays(**changed: Any) -> dict[str, Any]:
    good = {
        "cmd_data": np.array(PAYLOAD),
        "weight_data": np.array(b"0123456789abcdef"),
        "weight_region": 0,
        "scratch_region": 1,
        "scratch_size": 64,
        "scratch_fast_region": 0,
        "scratch_fast_size": 0,
        "input_quantization": np.array([{"scale": 1.0}], dtype=object),
        "variable_region": np.zeros(0),
    }
    for what, offset, size in (("input", 0, 48), ("output", 48, 10)):
        good |= {
            f"{what}_shape": [[1, size]],
            f"{what}_elem_size": [1],
            f"{what}_region": [1],
            f"{what}_offset": [offset],
        }
    return {key: value for key, value in {**good, **changed}.items() if value is not None}


def saved(folder: Path, **changed: Any) -> Path:
    path = folder / "mode.npz"
    np.savez(path, **arrays(**changed))
    return path


def test_what_vela_wrote_is_read(tmp_path: Path) -> None:
    mode = read_compiled("88", saved(tmp_path))
    assert (mode.payload.accelerator, mode.read_only, mode.scratch_size) == ("ethos-u55-128", b"0123456789abcdef", 64)
    assert (mode.inputs, mode.outputs) == ((End(1, 0, 48),), (End(1, 48, 10),))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"cmd_data": None}, "lacks cmd_data"),
        ({"cmd_data": np.array(b"COP2")}, "COP1"),
        ({"cmd_data": np.array([1.5])}, "no bytes"),
        ({"scratch_fast_size": 4096}, "Shared_Sram or Sram_Only"),
        ({"scratch_size": -1}, "scratch_size"),
        ({"scratch_size": 40}, "outside of the scratch"),
        ({"scratch_region": 9}, "scratch_region"),
        ({"weight_region": 1}, "one region"),
        ({"input_region": [1, 1]}, r"inputs in \[1, 2\] ways"),
        ({"output_offset": [60]}, "the output lies outside"),
        ({"input_elem_size": [1 << 40]}, "input_elem_size"),
        ({"input_shape": np.array([1.5])}, "no whole numbers"),
        ({"variable_region": [1]}, "keeps a state"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(FirmwareGenError, match=said) as caught:
        read_compiled("88", saved(tmp_path, **changed))
    assert "\n" not in str(caught.value)


def test_every_truncation_is_one_line(tmp_path: Path) -> None:
    content = saved(tmp_path).read_bytes()
    path = tmp_path / "cut.npz"
    for size in (0, 1, 30, len(content) // 3, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(FirmwareGenError, match="compile"):
            read_compiled("88", path)


def test_flipped_bytes_are_read_or_one_line(tmp_path: Path) -> None:
    content = bytearray(saved(tmp_path).read_bytes())
    path, random = tmp_path / "flipped.npz", np.random.default_rng(1)
    for at in random.integers(0, len(content), 150):
        damaged = bytearray(content)
        damaged[at] ^= 1 << int(random.integers(8))
        path.write_bytes(damaged)
        assert "\n" not in said_of(path)


def said_of(path: Path) -> str:
    """What is wrong with a file; nothing where it can be read. Any other error fails the test."""
    try:
        read_compiled("88", path)
    except FirmwareGenError as error:
        return str(error)
    return ""


class _Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("a pickle was run",))


def test_no_pickle_is_run(tmp_path: Path) -> None:
    path = saved(tmp_path, cmd_data=None)
    array = io.BytesIO()
    np.lib.format.write_array_header_1_0(array, {"descr": "|O", "fortran_order": False, "shape": ()})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("cmd_data.npy", array.getvalue() + pickle.dumps(_Bomb()))
    with pytest.raises(FirmwareGenError, match="lacks cmd_data"):
        read_compiled("88", path)


def test_a_huge_array_is_not_allocated(tmp_path: Path) -> None:
    path = saved(tmp_path, cmd_data=None)
    array = io.BytesIO()
    np.lib.format.write_array_header_1_0(array, {"descr": "|u1", "fortran_order": False, "shape": (1 << 60,)})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("cmd_data.npy", array.getvalue())
    with pytest.raises(FirmwareGenError, match="shorter than it says"):
        read_compiled("88", path)
