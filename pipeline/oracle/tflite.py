# SPDX-License-Identifier: Apache-2.0
"""A `.tflite` file as the schema's objects, and back."""

from __future__ import annotations

from typing import Any


def unpack(content: bytes) -> Any:
    """The file as `schema.ModelT`, with every constant in its buffer.

    Writers put the constants of larger models behind the flatbuffer and leave only their offsets in it, which the
    schema's own unpacking does not follow.
    """
    import numpy as np
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for buffer in model.buffers:
        if buffer.offset > 1:
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return model


def pack(model: Any) -> bytes:
    """The bytes of a `.tflite` file."""
    import flatbuffers

    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
