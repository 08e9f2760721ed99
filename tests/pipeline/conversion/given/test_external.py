# SPDX-License-Identifier: Apache-2.0
"""Files beside an ONNX file that hold its weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.conversion.given.external import external_files
from tests.pipeline.conversion.given.networks import external_onnx, written


def test_files_are_named(tmp_path: Path) -> None:
    path = external_onnx(tmp_path)
    assert external_files(path) == [tmp_path / "net.onnx.data"]
    (tmp_path / "net.onnx.data").unlink()
    with pytest.raises(
        DimmerError, match=r"^net\.onnx: its weights lie in net\.onnx\.data, which is not beside it; put"
    ):
        external_files(path)


def test_so_are_those_of_graphs_in_graphs(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    branches = []
    for name in ("then", "else"):
        weights = numpy_helper.from_array(np.zeros(2, np.float32), name)
        weights.data_location = TensorProto.EXTERNAL
        entry = weights.external_data.add()
        entry.key, entry.value = "location", f"{name}.data"
        weights.ClearField("raw_data")
        (tmp_path / f"{name}.data").write_bytes(bytes(8))
        branches.append(helper.make_graph([], name, [], [], [weights]))
    node = helper.make_node("If", ["c"], ["y"], then_branch=branches[0], else_branch=branches[1])
    (tmp_path / "net.onnx").write_bytes(helper.make_model(helper.make_graph([node], "net", [], [])).SerializeToString())
    assert onnx.load(tmp_path / "net.onnx", load_external_data=False).graph.node
    assert [file.name for file in external_files(tmp_path / "net.onnx")] == ["else.data", "then.data"]


def test_a_file_without_them_and_one_that_is_broken_have_none(tmp_path: Path) -> None:
    assert external_files(written(tmp_path, b"no network", "a.onnx")) == []
    assert external_files(written(tmp_path, b"", "b.onnx")) == []
