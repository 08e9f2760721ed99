# SPDX-License-Identifier: Apache-2.0
"""Files that were never quantised: refused as a whole, with what quantises them."""

from __future__ import annotations

from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.read.flatbuffer import RawModel, read_flatbuffer

_BETWEEN = {"QUANTIZE", "DEQUANTIZE", "CAST"}
_CODES = {schema.TensorType.INT8, schema.TensorType.UINT8, schema.TensorType.INT16}


def check_quantised(raw: RawModel, source: str) -> None:
    """Refuses a file whose operators all compute in float32.

    Raises:
        FirmwareGenError: it is such a file; the message holds the command that quantises it.
    """
    if kind := _kind(raw):
        raise FirmwareGenError(f"{source}: is {kind}; {how_to_quantise(source)}")


def is_float(path: Path) -> bool:
    """Whether a file was never quantised.

    Raises:
        FirmwareGenError: it is damaged.
    """
    return bool(_kind(read_flatbuffer(path.read_bytes(), path.name)))


def how_to_quantise(name: str) -> str:
    """The command for a network of floats."""
    return f"type: dimmer firmware --tflite {name} --calibration DATA (an .npz, an .npy or a folder of samples)"


def _kind(raw: RawModel) -> str:
    """Empty where an activation has codes, or none is a float."""
    made = [
        raw.tensors[i] for o in raw.operators if o.kind not in _BETWEEN for i in o.outputs if 0 <= i < len(raw.tensors)
    ]
    if any(tensor.type in _CODES for tensor in made) or not any(t.type == schema.TensorType.FLOAT32 for t in made):
        return ""
    read = [raw.tensors[i] for o in raw.operators for i in o.inputs if 0 <= i < len(raw.tensors)]
    if any(tensor.type in _CODES and tensor.data is not None and tensor.scales for tensor in read):
        return "hybrid, its weights are int8 and its activations float32"
    return "a network of float32"
