# SPDX-License-Identifier: Apache-2.0
"""The speed of TVM's modes is measured beside its peers."""

from pathlib import Path

import pytest

from dimmer.benchmarks.tvm_speed import engines_of, take_turns
from tests.firmware_gen.modes import build_mode


def test_engines_take_turns_and_each_is_timed_by_itself() -> None:
    import time

    calls: list[str] = []

    def quick() -> None:
        calls.append("quick")

    def slow() -> None:
        calls.append("slow")
        time.sleep(0.002)

    found = take_turns({"quick": quick, "slow": slow}, turns=3, inferences=2)
    assert calls == ["quick", "slow"] + (["quick"] * 2 + ["slow"] * 2) * 3
    assert found["slow"].best_us >= 2000 > found["quick"].best_us
    assert found["slow"].median_us >= found["slow"].best_us


@pytest.mark.xdist_group("tvm")
def test_three_engines_run_one_file(tmp_path: Path) -> None:
    pytest.importorskip("tvm", reason="needs apache-tvm")
    path = tmp_path / "mode.tflite"
    path.write_bytes(build_mode((0, 0, 0))[0])
    found = take_turns(engines_of(path, tmp_path / "work"), turns=1, inferences=1)
    assert list(found) == ["tvm", "onnxruntime", "ai-edge-litert"]
    assert all(timing.best_us > 0 for timing in found.values())
