# SPDX-License-Identifier: Apache-2.0
"""One signature of a `.tflite` file with several, as a file of its own."""

from __future__ import annotations

from pathlib import Path

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from dimmer.errors import DimmerError
from dimmer.firmware_gen.files import write_atomically
from dimmer.firmware_gen.read.flatbuffer import read_flatbuffer
from dimmer.firmware_gen.read.tflite import read_bytes


def with_signature(path: Path, name: str, folder: Path) -> Path:
    """Writes `folder`/<file>-<name>.tflite: what the signature runs, and what sets its variables.

    Raises:
        DimmerError: the file has no such signature, or cannot be read.
    """
    data = read_bytes(path)
    known = read_flatbuffer(data, path.name).signatures
    if name not in known:
        raise DimmerError(f"{path.name}: has no signature {name}; it has: {', '.join(known[:16]) or 'none'}")
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    if any(buffer.offset > 1 for buffer in model.buffers):
        raise DimmerError(f"{path.name}: keeps constants behind its tables; convert with one signature alone")
    chosen = model.signatureDefs[known.index(name)]
    wanted = [chosen.subgraphIndex]
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    for operator in model.subgraphs[chosen.subgraphIndex].operators:
        if codes[operator.opcodeIndex] == schema.BuiltinOperator.CALL_ONCE:
            if operator.builtinOptions.initSubgraphIndex not in wanted:
                wanted.append(operator.builtinOptions.initSubgraphIndex)
            operator.builtinOptions.initSubgraphIndex = wanted.index(operator.builtinOptions.initSubgraphIndex)
    model.subgraphs = [model.subgraphs[index] for index in wanted]
    chosen.subgraphIndex = 0
    model.signatureDefs = [chosen]
    builder = flatbuffers.Builder(len(data))
    builder.Finish(model.Pack(builder), b"TFL3")
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{path.stem}-{name}.tflite"
    write_atomically(made, bytes(builder.Output()))
    return made
