# SPDX-License-Identifier: Apache-2.0
"""A float network on the way to the generator: asked for, quantised once, refused where it cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.projects import quantised
from dimmer.pipeline.projects.quantised import Calibration, calibration_of, inputs_of, ready
from tests.firmware_gen.networks import tiny_resnet
from tests.pipeline.conversion.given.networks import float_tflite, samples, written


def silent(_text: str, _share: float) -> None:
    pass


def test_options() -> None:
    data = Path("a.npz")
    assert calibration_of(None, None) is None
    assert calibration_of(data, None) == Calibration(data, (0.0, 1.0))
    assert calibration_of(data, "-1,1") == Calibration(data, (-1.0, 1.0))
    with pytest.raises(DimmerError, match="--pixels goes with --calibration"):
        calibration_of(None, "0,1")
    with pytest.raises(DimmerError, match="--pixels 5: write what 0 and 255 are"):
        calibration_of(data, "5")


def test_int8_files_go_through(tmp_path: Path) -> None:
    # Whatever they are called: the reader knows them by their content.
    for name in ("net.tflite", "net.bin"):
        path = written(tmp_path, tiny_resnet(), name)
        assert ready([path], None, None, tmp_path, silent) == quantised.Ready((path,), ())


def test_refusals(tmp_path: Path) -> None:
    whole, onnx = written(tmp_path, tiny_resnet()), written(tmp_path, b"", "a.onnx")
    np.save(tmp_path / "a.npy", samples(4)[0])
    data = Calibration(tmp_path / "a.npy")
    command = rf"type: dimmer firmware --tflite {onnx} --calibration DATA \(an"
    with pytest.raises(DimmerError, match=rf"^a\.onnx: is an ONNX file; {command}"):
        ready([onnx], None, None, tmp_path, silent)
    with pytest.raises(DimmerError, match=r"^net\.tflite: is quantised already; leave out --calibration$"):
        ready([whole], None, data, tmp_path, silent)
    with pytest.raises(DimmerError, match="--calibration takes one network"):
        ready([whole, whole], None, data, tmp_path, silent)
    with pytest.raises(DimmerError, match=r"--calibration .*b\.npz: is not there"):
        ready([onnx], None, Calibration(tmp_path / "b.npz"), tmp_path, silent)


def test_inputs(tmp_path: Path) -> None:
    (one,) = inputs_of(written(tmp_path, float_tflite()))
    assert (one.name, one.shape) == ("image", (6, 6, 1))


@pytest.mark.slow
def test_a_float_network_is_quantised_once(tmp_path: Path) -> None:
    images, labels = samples()
    np.savez(tmp_path / "a.npz", x=images, y=labels)
    path = written(tmp_path, float_tflite())
    told: list[str] = []
    for _ in range(2):
        found = ready([path], None, Calibration(tmp_path / "a.npz"), tmp_path, lambda text, _share: told.append(text))
        assert found.files == (tmp_path / "net" / "quantise" / "net.tflite",)
        assert found.quantised is not None
        assert found.quantised.cost.accuracy == 1
        assert len(found.inputs) == 20 * 36
    assert len(told) == 3
