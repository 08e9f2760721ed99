# SPDX-License-Identifier: Apache-2.0
"""Modes as ONNX: what onnxruntime makes of them is what torch makes of the network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from dimmer.calibration.weights import SLICES, UNITS
from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.calibration import Statistics, calibration_folder
from dimmer.pipeline.artifacts.exported import Exported, exported_folder
from dimmer.pipeline.artifacts.trained import load_network
from dimmer.pipeline.conversion import onnx
from tests.tiny import TinyBuild


@pytest.mark.xdist_group("tiny")
def test_the_saved_sites_are_those_of_one_image(tiny_converted: TinyBuild) -> None:
    folder = tiny_converted.build / "export"
    for name, missing in (("88.88", set()), ("80.80", {"0.1.out", "1.1.conv1"})):
        with np.load(folder / f"{name}.sites.npz") as archive:
            sites = dict(archive)
        assert sites["input"].shape == (1, 1, 28, 28)
        assert {"stem", "0.0.conv1", "1.0.out", "logits"} <= set(sites)
        assert not missing & set(sites)
        session = onnxruntime.InferenceSession(folder / f"{name}.onnx", providers=["CPUExecutionProvider"])
        (logits,) = session.run(None, {"input": sites["input"]})
        assert np.abs(logits - sites["logits"]).max() <= onnx.TOLERANCE
        assert not (folder / f"{name}.narrow.npz").exists()


@pytest.mark.xdist_group("tiny")
def test_a_file_that_computes_something_else_is_refused(
    tiny_converted: TinyBuild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statistics = Statistics.load(calibration_folder(tiny_converted.build)).of("80.80")
    monkeypatch.setattr(onnx, "TOLERANCE", -1.0)
    with pytest.raises(DimmerError, match=r"80\.80\.onnx: onnxruntime differs from torch by"):
        onnx.export_mode(load_network(tiny_converted.recipe), "80.80", statistics, tmp_path)


@pytest.mark.xdist_group("tiny_narrow")
def test_narrow_blocks_come_with_their_codes(tiny_narrow: TinyBuild) -> None:
    narrow = Exported.load(exported_folder(tiny_narrow.build), "84.20").narrow
    assert {"0.1.conv1", "0.1.conv2", "1.0.conv1", "1.0.conv2"} <= set(narrow.layers)
    assert not any(site.startswith(("0.0", "1.1")) for site in (*narrow.layers, *narrow.tensors))
    for site, layer in narrow.layers.items():
        bits = 4 if site.startswith("0.1") else 2
        assert np.abs(layer.codes).max() <= SLICES[bits][1] * UNITS[bits]
        assert layer.codes.shape[0] == len(layer.scale) == len(layer.bias)
        assert narrow.tensors[layer.reads].bits == bits, "it reads what was rounded to its own width"
