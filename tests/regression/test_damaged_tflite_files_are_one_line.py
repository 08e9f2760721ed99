# SPDX-License-Identifier: Apache-2.0
"""A `.tflite` from anywhere, cut, flipped or no file at all: one line, no traceback, no crash, no hang."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import tables_of
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.image.order import Order, foreign_order
from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, run_oracle
from tests.damage import damages
from tests.firmware_gen.networks import tiny_resnet
from tests.pipeline.shared_models import KWS, RESNET
from tests.tiny import TinyBuild

SLOWEST_S = 5.0
ORACLES = 30


def read(path: Path) -> Order:
    """What `pipeline.firmware --tflite` does before it compiles."""
    order = foreign_order([path], 2)
    tables_of(order.modes, order.policy, None, 1 << 14, "cortex-m4")
    return order


def check(whole: bytes, folder: Path, count: int) -> None:
    """Damaged copies are refused in one line, or read and then run, or refused, by the interpreter in its process."""
    jobs, refused = [], 0
    for number, content in enumerate(damages(whole, count)):
        path = folder / f"net{number}.tflite"
        path.write_bytes(content)
        began = time.process_time()
        try:
            order = read(path)
        except DimmerError:
            refused += 1
        else:
            jobs.append(OracleJob(path, order.known_input))
        assert time.process_time() - began < SLOWEST_S
    assert refused > count // 4
    answers = run_oracle(jobs[:ORACLES], timeout_s=60.0)
    assert all(isinstance(answer, bytes | OracleFailure) for answer in answers)
    assert any(isinstance(answer, bytes) for answer in answers)


@pytest.mark.slow
def test_500_damaged_copies(tmp_path: Path) -> None:
    check(tiny_resnet(), tmp_path, 500)


@pytest.mark.shared
@pytest.mark.parametrize("model", [KWS, pytest.param(RESNET, marks=pytest.mark.slow)], ids=lambda path: path.stem)
@pytest.mark.parametrize("count", [100, pytest.param(500, marks=pytest.mark.slow)])
def test_damaged_copies_of_models_that_people_have(model: Path, count: int, tmp_path: Path) -> None:
    check(model.read_bytes(), tmp_path, count)


@pytest.mark.slow
def test_500_damaged_copies_of_a_converted_model(tiny_converted: TinyBuild, tmp_path: Path) -> None:
    path = next((tiny_converted.build / "convert").glob("*.tflite"))
    check(path.read_bytes(), tmp_path, 500)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_told_at_once(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    make(path)
    with pytest.raises(FirmwareGenError, match=r"net\.tflite: is no file; name a \.tflite file"):
        read_tflite(path)


def test_a_file_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(FirmwareGenError, match=r"more than 64 MiB; name a smaller model"):
        read_tflite(path)


@pytest.mark.parametrize("content", [tiny_resnet()[:-100], Random(0).randbytes(5000), None])
def test_the_command_says_one_line(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    command = [sys.executable, "-m", "dimmer.pipeline.firmware", "--tflite", str(path), "--target", "host"]
    environment = {**os.environ, "DIMMER_BUILD": str(tmp_path / "build"), "TERM": "dumb"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "net.tflite" in line
    assert "Traceback" not in done.stderr
