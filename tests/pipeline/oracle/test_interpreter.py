# SPDX-License-Identifier: Apache-2.0
"""The oracle: the stock interpreter in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, reference_outputs, run_oracle
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from tests.firmware_gen.networks import tiny_resnet, tiny_state
from tests.firmware_gen.tflite_builder import Layers


def aborting(path: Path) -> Path:
    """A file on which the interpreter's own checks abort: ADD whose output scale is far too small."""
    net = Layers(0)
    x = net.activation([1, 4], 1.0, 0)
    y = net.elementwise("ADD", x, x, output=net.activation([1, 4], 1e-9, 0, "y"))
    path.write_bytes(net.build(x, y))
    return path


def test_outputs_come_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    data = bytes(192) + b"\x7f" * 192
    both = reference_outputs(path, data)
    assert both == reference_outputs(path, data[:192]) + reference_outputs(path, data[192:])
    assert len(both) == 10


def test_state_begins_anew_where_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "state.tflite"
    path.write_bytes(tiny_state())
    inputs = sample_inputs(path, 2)
    each = len(inputs) // 4
    on, anew = reference_outputs(path, inputs), reference_outputs(path, inputs, anew=2 * each)
    assert anew == reference_outputs(path, inputs[: 2 * each]) + reference_outputs(path, inputs[2 * each :])
    assert anew != on


def test_a_crash_of_the_interpreter_is_a_message(tmp_path: Path) -> None:
    with pytest.raises(
        DimmerError, match=r"add\.tflite: the stock TFLite interpreter cannot run it \(it was killed by SIGABRT"
    ):
        reference_outputs(aborting(tmp_path / "add.tflite"), bytes(4))


def test_one_failure_does_not_disturb_the_others(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.tflite", tmp_path / "bad.tflite"
    good.write_bytes(tiny_resnet())
    bad.write_bytes(b"not a model at all, but long enough")
    jobs = [OracleJob(path, bytes(192)) for path in (good, bad, aborting(tmp_path / "add.tflite"), good)]
    first, second, third, fourth = run_oracle(jobs)
    assert isinstance(first, bytes)
    assert first == fourth
    assert isinstance(second, OracleFailure)
    assert isinstance(third, OracleFailure)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"nothing\.tflite"):
        reference_outputs(tmp_path / "nothing.tflite", b"")


def test_time_is_limited(tmp_path: Path) -> None:
    path = tmp_path / "resnet.tflite"
    path.write_bytes(tiny_resnet())
    (result,) = run_oracle([OracleJob(path, bytes(192 * 20000))], timeout_s=0.05)
    assert isinstance(result, OracleFailure)
    assert "did not end within" in result.reason
