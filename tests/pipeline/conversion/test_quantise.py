# SPDX-License-Identifier: Apache-2.0
"""int8 files have the calibrated ranges."""

import numpy as np
import pytest

from dimmer.pipeline.artifacts.calibration import Calibration, calibration_folder
from dimmer.pipeline.artifacts.converted import mode_sources
from tests.tiny import TinyBuild

pytestmark = pytest.mark.xdist_group("tiny")


def interpreter(content: bytes):  # type: ignore[no-untyped-def]
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    loaded = Interpreter(model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    loaded.allocate_tensors()
    return loaded


def test_every_tensor_has_our_range(tiny_converted: TinyBuild) -> None:
    calibration = Calibration.load(calibration_folder(tiny_converted.build))
    for source in mode_sources(tiny_converted.build / "convert"):
        ranges = calibration.ranges(source.name)
        with np.load(tiny_converted.build / "export" / f"{source.name}.sites.npz") as archive:
            sites = set(archive)
        seen = set()
        for detail in interpreter(source.path.read_bytes()).get_tensor_details():
            if detail["name"] in ranges:
                low, high = ranges[detail["name"]]
                assert detail["quantization"][0] == pytest.approx((high - low) / 255, rel=1e-5)
                seen.add(detail["name"])
        assert {"input", "stem", "0.0.out", "pool", "logits"} <= seen
        assert seen == sites, "every site of the network is a tensor of the file"


def test_int8_agrees_with_float_classification(tiny_converted: TinyBuild) -> None:
    from dimmer.pipeline.data.encoding import to_int8
    from dimmer.pipeline.data.registry import load_dataset

    test = load_dataset("mnist5k").test
    expected = Calibration.load(calibration_folder(tiny_converted.build)).mode("88.88")
    content = mode_sources(tiny_converted.build / "convert")[0].path.read_bytes()
    loaded, right = interpreter(content), 0
    for image, label in zip(to_int8(test.images[:200]), test.labels[:200], strict=True):
        loaded.set_tensor(loaded.get_input_details()[0]["index"], image[None])
        loaded.invoke()
        right += int(loaded.get_tensor(loaded.get_output_details()[0]["index"]).argmax() == label)
    assert right / 200 == pytest.approx(expected.accuracy, abs=0.12)
