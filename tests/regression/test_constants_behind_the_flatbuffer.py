# SPDX-License-Identifier: Apache-2.0
"""Larger models keep constants behind the flatbuffer: R20 was refused, and naming its tensors lost its weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.oracle.tflite import pack, unpack
from tests.firmware_gen.networks import tiny_resnet

ALIGN = 16


def with_constants_behind(content: bytes, cut: int = 0) -> bytes:
    """The same model with its larger constants after the flatbuffer, the last `cut` bytes of the file missing."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    constants: dict[int, bytes] = {}
    for index, buffer in enumerate(model.buffers):
        if buffer.data is not None and len(buffer.data) >= 32:
            constants[index] = bytes(np.asarray(buffer.data, np.uint8))
            # Not 0, so that the fields take their place in the first packing already.
            buffer.data, buffer.offset, buffer.size = None, 1 << 20, len(constants[index])
    end = len(pack(model))
    tail = b""
    for index, constant in constants.items():
        tail += bytes(-(end + len(tail)) % ALIGN)
        model.buffers[index].offset = end + len(tail)
        tail += constant
    packed = pack(model)
    assert len(packed) == end
    assert constants
    return (packed + tail)[: len(packed) + len(tail) - cut]


def constants_of(path: Path) -> list[Any]:
    return [tensor.data for tensor in read_tflite(path).tensors]


def run(content: bytes, image: Any) -> Any:
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def test_both_layouts_are_the_same_model(tmp_path: Path) -> None:
    plain = tiny_resnet()
    (tmp_path / "plain.tflite").write_bytes(plain)
    (tmp_path / "behind.tflite").write_bytes(with_constants_behind(plain))
    assert constants_of(tmp_path / "behind.tflite") == constants_of(tmp_path / "plain.tflite")


def test_unpacking_brings_the_constants_home() -> None:
    behind = with_constants_behind(tiny_resnet())
    shape = Interpreter(model_content=behind).get_input_details()[0]["shape"]
    image = np.random.default_rng(0).integers(-128, 128, shape, dtype=np.int8)
    home = pack(unpack(behind))
    assert (run(home, image) == run(tiny_resnet(), image)).all()
    assert (run(behind, image) == run(tiny_resnet(), image)).all()


def test_a_file_that_ends_before_its_constants_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cut.tflite").write_bytes(with_constants_behind(tiny_resnet(), cut=8))
    with pytest.raises(FirmwareGenError, match="ends at byte"):
        read_tflite(tmp_path / "cut.tflite")
