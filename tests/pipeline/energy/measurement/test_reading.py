# SPDX-License-Identifier: Apache-2.0
"""A trace's kind is told from what is in the file, whatever its name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.energy.measurement.reading import Told, read_trace
from tests.pipeline.energy.measurement.test_jetson import LINE
from tests.pipeline.energy.measurement.test_mlperf import runner
from tests.pipeline.energy.measurement.traces import joulescope, monitor, ppk2


def test_every_kind_is_known(tmp_path: Path) -> None:
    assert read_trace(ppk2(tmp_path / "a", "D0-D7")).kind == "Nordic PPK2"
    assert read_trace(joulescope(tmp_path / "b")).kind == "table with names of columns"
    bom = tmp_path / "c"
    bom.write_bytes(b"\xef\xbb\xbf" + (tmp_path / "b").read_bytes())
    assert read_trace(bom).kind == "table with names of columns"
    path = monitor(tmp_path, np.ones(1000), [0.0, 0.1, 0.2, 0.3, 0.4])
    assert read_trace(path, Told(inferences=3)).windows[0].inferences == 3
    (tmp_path / "d").write_text(json.dumps(runner([["00", 1], ["01", 3]], [1e-6] * 5)))
    assert read_trace(tmp_path / "d").kind == "MLPerf Tiny, v1.3"
    (tmp_path / "e").write_text("\n".join(LINE.format(0, 5000 + number) for number in range(6)))
    assert read_trace(tmp_path / "e", Told(rail="VDD_SOC", interval_ms=100)).interval_s == 0.1


@pytest.mark.parametrize("data", [b"", b"\x00" * 100, b"lamp,on\n1,2\n", b"{}", b"PK\x03\x04"])
def test_anything_else_is_one_line_that_names_the_kinds(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "trace"
    path.write_bytes(data)
    with pytest.raises(DimmerError, match="no trace that is known here: PPK2 or Joulescope CSV, JLS") as caught:
        read_trace(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match="cannot be read: No such file"):
        read_trace(tmp_path / "none")
    with pytest.raises(DimmerError, match="cannot be read: Is a directory"):
        read_trace(tmp_path)
