# SPDX-License-Identifier: Apache-2.0
"""Vela in a process of its own: what it makes, and what is told where it makes nothing."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.pipeline.conversion.npu import vela
from dimmer.pipeline.conversion.npu.parts import compile_mode
from dimmer.pipeline.conversion.npu.vela import complaint, left_to_the_core
from tests.npu import NPU, WITHOUT_VELA, write_modes
from tests.pipeline.conversion.npu.test_widen import with_weights_of


@pytest.fixture
def tflite(tmp_path: Path) -> Path:
    return write_modes(tmp_path)[0].path


@WITHOUT_VELA
def test_a_stream_with_an_estimate(tflite: Path, tmp_path: Path) -> None:
    found = compile_mode("88", tflite, NPU, tmp_path)
    assert (tmp_path / "88.npz").is_file()
    assert found.streams[0].payload.accelerator == NPU.accelerator
    assert (found.estimate.cycles > 1000, found.estimate.clock_mhz, found.widened) == (True, 500, False)


@WITHOUT_VELA
def test_4_bits_are_widened_where_vela_would_die(tmp_path: Path) -> None:
    path = tmp_path / "narrow.tflite"
    path.write_bytes(with_weights_of("INT4"))
    assert compile_mode("44", path, NPU, tmp_path).widened


@WITHOUT_VELA
def test_a_wrong_section_is_one_line(tflite: Path, tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"Arm/vela.ini has no \[System_Config.Lamp\]: name .* as system_config"):
        compile_mode("88", tflite, replace(NPU, system_config="Lamp"), tmp_path)


@WITHOUT_VELA
@pytest.mark.slow
@pytest.mark.parametrize("content", [b"", b"lamp", b"[System_Config.X\n", b"\xff\xfe"])
def test_a_wrong_ini_is_one_line(tflite: Path, tmp_path: Path, content: bytes) -> None:
    ini = tmp_path / "vela.ini"
    ini.write_bytes(content)
    with pytest.raises(DimmerError) as caught:
        compile_mode("88", tflite, replace(NPU, config=str(ini)), tmp_path)
    assert "\n" not in str(caught.value)


def stand_in(folder: Path, text: str, patch: pytest.MonkeyPatch) -> None:
    """A program in Vela's place."""
    program = folder / "stand_in.py"
    program.write_text(f"import os, pathlib, signal, sys\nout = pathlib.Path(sys.argv[-2])\n{text}")
    patch.setattr(vela, "_words", lambda npu: [sys.executable, str(program)])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("os.kill(os.getpid(), signal.SIGFPE)", "Vela was killed by SIGFPE"),
        ("sys.exit(136)", "Vela was killed by SIGFPE"),
        ("sys.exit(139)", "Vela was killed by SIGSEGV"),
        ("print('Error: a lamp'); sys.exit(1)", "Vela refuses it: a lamp"),
        ("print('all is well')", r"made no command stream \(all is well\)"),
        ("out.mkdir(); (out / 'mode_vela.npz').write_bytes(b'PK lamp')", "Vela's output cannot be read"),
        ("sys.stderr.write(\"No module named 'ethosu'\"); sys.exit(1)", r"pip install 'dimmer-nn\[npu\]'"),
    ],
)
def test_every_bad_end_is_one_line(
    tflite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    stand_in(tmp_path, text, monkeypatch)
    with pytest.raises(DimmerError, match=said) as caught:
        compile_mode("88", tflite, NPU, tmp_path)
    assert "\n" not in str(caught.value)


def test_one_that_does_not_end_is_ended(tflite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, "import time; time.sleep(60)", monkeypatch)
    monkeypatch.setattr(vela, "TIMEOUT_S", 0.3)
    with pytest.raises(DimmerError, match="did not end"):
        compile_mode("88", tflite, NPU, tmp_path)
    assert not children.is_stopping()


def test_a_scale_that_vela_takes_for_0_is_one_line() -> None:
    said = "Quantization scale of any tensor must be positive.\nwithout passthrough/CPU operations (found ADD)"
    assert complaint(said, NPU).startswith("a scale of it is too small for Vela")


def test_operators_that_the_npu_does_not_take_are_named() -> None:
    said = "RuntimeError: RawWriter expects a graph without passthrough/CPU operations (found DEQUANTIZE, LSTM) "
    assert complaint(said, NPU).startswith("the NPU does not take DEQUANTIZE, LSTM: run the mode by the C kernels")


def test_what_stays_on_the_core_is_told_with_velas_reason() -> None:
    said = (
        "Warning (supported operators) operator: MEAN, ofm: 'it's a mean'\nReason: Unsupported depth-reduction.\n"
        "Reduction over depth\n\nsomething else\n"
        "RuntimeError: RawWriter expects a graph without passthrough/CPU operations (found MEAN, CUSTOM) \n"
    )
    first, second = left_to_the_core(said)
    assert (first.kind, first.tensor, first.why) == (
        "MEAN",
        "it's a mean",
        "Unsupported depth-reduction. Reduction over depth",
    )
    assert (second.kind, second.tensor) == ("CUSTOM", "")
    assert left_to_the_core(said.splitlines()[0]) == ()
