"""Export and conversion: ordinary .tflite files with shared weights and our own ranges."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from dimmer.pipeline.artifacts.calibration import load_calibration
from dimmer.pipeline.artifacts.converted import mode_sources
from dimmer.pipeline.conversion.recognise import recognise
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.oracle.splice import splice
from tests.tiny import TinyBuild

pytestmark = pytest.mark.xdist_group("tiny")


def interpreter(content: bytes):  # type: ignore[no-untyped-def]
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    loaded = Interpreter(model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    loaded.allocate_tensors()
    return loaded


def run(content: bytes, image: np.ndarray) -> np.ndarray:
    loaded = interpreter(content)
    loaded.set_tensor(loaded.get_input_details()[0]["index"], image)
    loaded.invoke()
    return np.asarray(loaded.get_tensor(loaded.get_output_details()[0]["index"])).reshape(-1)


IMAGE = np.random.default_rng(0).integers(-128, 128, (1, 28, 28, 1), dtype=np.int8)


def test_modes_json_tells_positions_and_boundaries(tiny_converted: TinyBuild) -> None:
    contents = json.loads((tiny_converted.build / "convert" / "modes.json").read_text())
    assert contents["positions"] == ["stem", "0.0", "0.1", "1.0", "1.1", "head"]
    assert contents["modes"][-1]["boundaries"] == ["stem", "0.0.out", "0.0.out", "1.0.out", "1.0.out"]


def test_every_tensor_has_our_range(tiny_converted: TinyBuild) -> None:
    calibration = load_calibration(tiny_converted.build / "calibrate")
    for source in mode_sources(tiny_converted.build / "convert"):
        ranges = calibration.ranges(source.name)
        seen = set()
        for detail in interpreter(source.path.read_bytes()).get_tensor_details():
            if detail["name"] in ranges:
                low, high = ranges[detail["name"]]
                assert detail["quantization"][0] == pytest.approx((high - low) / 255, rel=1e-5)
                seen.add(detail["name"])
        assert {"input", "stem", "0.0.out", "pool", "logits"} <= seen


def test_weights_of_all_modes_are_equal(tiny_converted: TinyBuild) -> None:
    weights: dict[str, bytes] = {}
    shared = 0
    for source in mode_sources(tiny_converted.build / "convert"):
        loaded = interpreter(source.path.read_bytes())
        for detail in loaded.get_tensor_details():
            if detail["name"].endswith("/weights"):
                data = loaded.get_tensor(detail["index"]).tobytes()
                shared += detail["name"] in weights
                assert weights.setdefault(detail["name"], data) == data
    assert shared >= 8


def test_int8_agrees_with_float_classification(tiny_converted: TinyBuild) -> None:
    from dimmer.pipeline.data.encoding import to_int8
    from dimmer.pipeline.data.registry import load_dataset

    test = load_dataset("mnist5k").test
    expected = next(
        m for m in load_calibration(tiny_converted.build / "calibrate").contents["modes"] if m["name"] == "88.88"
    )
    content = mode_sources(tiny_converted.build / "convert")[0].path.read_bytes()
    loaded, right = interpreter(content), 0
    for image, label in zip(to_int8(test.images[:200]), test.labels[:200], strict=True):
        loaded.set_tensor(loaded.get_input_details()[0]["index"], image[None])
        loaded.invoke()
        right += int(loaded.get_tensor(loaded.get_output_details()[0]["index"]).argmax() == label)
    assert right / 200 == pytest.approx(expected["accuracy"], abs=0.12)


def test_a_splice_of_one_mode_is_that_mode(tiny_converted: TinyBuild) -> None:
    sources = mode_sources(tiny_converted.build / "convert")
    for mode, source in enumerate(sources):
        assert (run(splice(sources, [mode] * 6), IMAGE) == run(source.path.read_bytes(), IMAGE)).all()


def test_a_splice_that_swaps_skipped_positions_is_the_other_mode(tiny_converted: TinyBuild) -> None:
    # Modes 88.88 and 88.80 differ from position 1.0 on: before it either may run.
    sources = mode_sources(tiny_converted.build / "convert")
    stem_and_stage = run(splice(sources, [0, 0, 0, 2, 2, 2]), IMAGE)
    assert stem_and_stage.shape == (10,)
    assert not (stem_and_stage == run(sources[2].path.read_bytes(), IMAGE)).all()


def test_a_wrong_schedule_is_refused(tiny_converted: TinyBuild) -> None:
    with pytest.raises(DimmerError, match="does not fit"):
        splice(mode_sources(tiny_converted.build / "convert"), [0, 1])


def test_a_changed_graph_is_found_by_value(tiny_converted: TinyBuild, tmp_path: Path) -> None:
    from dimmer.pipeline.conversion.float_model import float_models

    source = tiny_converted.build / "export" / "80.80.onnx"
    shutil.copy(source, tmp_path / "80.80.onnx")
    float_models([tmp_path / "80.80.onnx"], tmp_path)
    with np.load(tiny_converted.build / "export" / "80.80.sites.npz") as archive:
        sites = dict(archive)
    found = recognise(tmp_path / "80.80.float.tflite", sites)
    assert set(found.values()) == set(sites)
    sites["1.0.conv2"] = sites["1.0.conv2"] + 1.0
    with pytest.raises(DimmerError, match="none of the network's sites"):
        recognise(tmp_path / "80.80.float.tflite", sites)


def test_a_broken_onnx_file_is_told_in_one_line(tmp_path: Path) -> None:
    from dimmer.pipeline.conversion.float_model import float_models

    (tmp_path / "bad.onnx").write_bytes(b"not an onnx file")
    with pytest.raises(DimmerError, match="onnx2tf failed"):
        float_models([tmp_path / "bad.onnx"], tmp_path)
