# SPDX-License-Identifier: Apache-2.0
"""A float network on the way to the generator: asked for, quantised once, refused where it cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.quantised import Cost, Quantised
from dimmer.pipeline.projects import quantised
from dimmer.pipeline.projects.quantised import Calibration, calibration_of, classes_of, inputs_of, ready
from tests.firmware_gen.networks import tiny_resnet
from tests.firmware_gen.tflite_builder import pack
from tests.pipeline.conversion.given.networks import external_onnx, float_model, float_tflite, samples, written


def silent(_text: str, _share: float) -> None:
    pass


def test_options(tmp_path: Path) -> None:
    data = Path("a.npz")
    assert calibration_of(None, None) is None
    assert calibration_of(data, None) == Calibration(data)
    folder = Path("pictures")
    assert calibration_of(folder, "-1,1") == Calibration(folder, (-1.0, 1.0))
    with pytest.raises(DimmerError, match="--pixels goes with --calibration"):
        calibration_of(None, "0,1")
    for pixels in ("5", "nan,1", "inf,1", "-inf,1", "0,inf", "1,1", "1,0", "0,1,2"):
        with pytest.raises(DimmerError, match=f"--pixels {pixels}: write what 0 and 255 are"):
            calibration_of(folder, pixels)
    (tmp_path / "a.csv").touch()
    for arrays in (data, Path("a.NPY"), tmp_path / "a.csv"):
        with pytest.raises(DimmerError, match="--pixels is for folders of images"):
            calibration_of(arrays, "0,1")


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
    assert classes_of(tmp_path / "net.tflite") == 3


def test_a_batch_of_two_is_told(tmp_path: Path) -> None:
    model = float_model()
    graph = model.subgraphs[0]
    graph.tensors[graph.inputs[0]].shape = [2, 6, 6, 1]
    with pytest.raises(DimmerError, match=r"^image: has a batch of 2; convert with 1$"):
        inputs_of(written(tmp_path, pack(model)))


def test_so_many_inputs_of_the_data_are_compared() -> None:
    cost = Cost(5, False, 30.0, 0.1, 0.2, None, None, None)
    found = Quantised("net.keras", "net.tflite", "a.npz", 5, 5, (), cost)
    ready_made = quantised.Ready((), (), b"aabbccddee", found)
    assert [ready_made.first(most) for most in (None, 0, 2, 9)] == [b"aabbccddee", b"", b"aabb", b"aabbccddee"]
    assert quantised.Ready((), ()).first(2) == b""


def test_what_lies_beside_an_onnx_file_is_an_input(tmp_path: Path) -> None:
    """And a manifest.json of somebody's is no stage's: nothing of his is to be removed."""
    path = external_onnx(tmp_path)
    np.save(tmp_path / "a.npy", samples(4)[0])
    for content in ('{"a": 1}\n{"a": 2}\n', "[1]", '{"outputs": 3}', '{"key": 1, "outputs": {}}'):
        (tmp_path / "manifest.json").write_text(content)
        stage = quantised.quantise_stage(path, "net", Calibration(tmp_path / "a.npy"), tmp_path / "out", silent)
        first = stage.key()
    assert [one.name for one in stage.given] == ["net.onnx", "net.onnx.data", "a.npy"]
    with (tmp_path / "net.onnx.data").open("r+b") as file:
        file.write(b"\1")
    assert stage.key() != first


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


@pytest.mark.parametrize(("file", "behind"), [("a.pt2", "onnxscript"), ("a.keras", "keras"), ("a.onnx", None)])
def test_another_version_of_what_reads_it_quantises_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, behind: str | None
) -> None:
    monkeypatch.setattr("dimmer.pipeline.projects.quantised.require_converters", lambda _kind: None)
    monkeypatch.setattr("dimmer.pipeline.conversion.given.kinds.version", lambda name: f"1 of {name}")
    path = written(tmp_path, b"", file)
    np.save(tmp_path / "a.npy", samples(4)[0])
    stage = quantised.quantise_stage(path, "net", Calibration(tmp_path / "a.npy"), tmp_path / "out", silent)
    assert stage.contents == ({} if behind is None else {behind: f"1 of {behind}"})
