# SPDX-License-Identifier: Apache-2.0
"""One signature of a `.tflite` file with several, as a file of its own."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from dimmer.errors import DimmerError
from dimmer.firmware_gen.files import write_atomically
from dimmer.firmware_gen.read.flatbuffer import read_flatbuffer
from dimmer.firmware_gen.read.tflite import read_bytes

_MOST = 60


def with_signature(path: Path, name: str, folder: Path) -> Path:
    """Writes `folder`/<file>-<name>.tflite: what the signature runs, and what sets its variables.

    Raises:
        DimmerError: the file has no such signature, or cannot be read.
    """
    data = read_bytes(path)
    known = read_flatbuffer(data, path.name).signatures
    if name not in known:
        raise DimmerError(f"{path.name}: has no signature {name}; it has: {', '.join(known[:16]) or 'none'}")
    try:
        content = _alone(data, known.index(name), path.name)
    except (struct.error, TypeError, ValueError, IndexError, OverflowError, AttributeError) as error:
        raise DimmerError(f"{path.name}: damaged where signature {name} lies; convert the model again") from error
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{stem_with_signature(path, name)}.tflite"
    write_atomically(made, content)
    return made


def stem_with_signature(path: Path, name: str) -> str:
    """What the file of a signature is called, without its suffix: the name is the file's and may be anything.

    Example:
        >>> stem_with_signature(Path("two.tflite"), "embed"), stem_with_signature(Path("two.tflite"), "serving/default")
        ('two-embed', 'two-serving_default_5b8260e5')
    """
    plain = re.sub(r"[^0-9A-Za-z_.-]", "_", name)[:_MOST]
    if plain != name:
        # Names that are changed are still told apart.
        plain += f"_{zlib.crc32(name.encode(errors='surrogatepass')):08x}"
    return f"{path.stem}-{plain}"


def _alone(data: bytes, number: int, source: str) -> bytes:
    """The file with a signature alone, counted from 0.

    Raises:
        DimmerError: it names a subgraph that is not there, or constants lie where nobody copies them.
    """
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    if any(buffer.offset > 1 for buffer in model.buffers):
        raise DimmerError(f"{source}: keeps constants behind its tables; convert with one signature alone")
    chosen = model.signatureDefs[number]
    wanted = [_checked(chosen.subgraphIndex, model, source)]
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    for operator in model.subgraphs[chosen.subgraphIndex].operators:
        if codes[operator.opcodeIndex] == schema.BuiltinOperator.CALL_ONCE:
            first = _checked(operator.builtinOptions.initSubgraphIndex, model, source)
            if first not in wanted:
                wanted.append(first)
            operator.builtinOptions.initSubgraphIndex = wanted.index(first)
    model.subgraphs = [model.subgraphs[index] for index in wanted]
    chosen.subgraphIndex = 0
    model.signatureDefs = [chosen]
    builder = flatbuffers.Builder(len(data))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _checked(subgraph: int, model: schema.ModelT, source: str) -> int:
    if not 0 <= subgraph < len(model.subgraphs):
        raise DimmerError(
            f"{source}: a signature runs subgraph {subgraph}, and the file has {len(model.subgraphs)}; "
            "convert the model again"
        )
    return subgraph
