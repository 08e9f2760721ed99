# SPDX-License-Identifier: Apache-2.0
"""A Keras model, a SavedModel, an ONNX file or an exported PyTorch program -> a float `.tflite` with a batch of 1.

It runs in the worker, with all of TensorFlow and torch that the kind needs.
"""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dimmer.errors import DimmerError
from dimmer.pipeline.conversion.given.kinds import KERAS, PROGRAM, SAVED_MODEL, TFLITE
from dimmer.pipeline.oracle.tflite import pack, unpack

_CHECKED = 4
TOLERANCE = 1e-3
"""Of an output of the float `.tflite` against the ONNX file's, over the largest one."""


def float_tflite(path: Path, kind: str, work: Path) -> bytes:
    """The float `.tflite`.

    Args:
        work: a folder for files in between.

    Raises:
        DimmerError: the converter cannot, or has changed the network.
    """
    if kind == TFLITE:
        return path.read_bytes()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    if kind == KERAS:
        return _of_keras(path, work)
    if kind == SAVED_MODEL:
        return _of_saved_model(path, path.name)
    given = path
    if kind == PROGRAM:
        given = work / "program.onnx"
        _export_program(path, given)
    return _of_onnx(given, path.name, work)


def _of_keras(path: Path, work: Path) -> bytes:
    import tensorflow as tf

    saved = work / "saved"
    try:
        tf.keras.models.load_model(path, compile=False).export(str(saved), verbose=False)
    except Exception as error:
        raise DimmerError(f"{path.name}: Keras cannot load it ({_line(error)}); save it with this version") from error
    return _of_saved_model(saved, path.name)


def _of_saved_model(path: Path, called: str) -> bytes:
    import tensorflow as tf

    model = tf.saved_model.load(path)
    known = dict(model.signatures)
    if not known:
        raise DimmerError(f"{called}: has no signature; save it with model.export(...)")
    signature = known.get("serving_default") or next(iter(known.values()))
    wanted = signature.structured_input_signature[1]

    def call(*inputs: Any) -> Any:
        return signature(**dict(zip(wanted, inputs, strict=True)))

    specs = [_spec(tf, spec.shape, spec.dtype, name) for name, spec in wanted.items()]
    for spec in specs:
        if None in [*spec.shape]:
            raise DimmerError(f"{called}: input {spec.name} has the open shape {[*spec.shape]}; give it a fixed one")
    try:
        concrete = tf.function(call).get_concrete_function(*specs)
        return bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete], model).convert())
    except Exception as error:
        raise DimmerError(f"{called}: TensorFlow's converter cannot take it ({_line(error)})") from error


def _spec(tf: Any, shape: Any, dtype: Any, name: str) -> Any:
    sizes = [*shape]
    return tf.TensorSpec([1, *sizes[1:]] if sizes else [], dtype, name=name.split(":")[0])


def _export_program(path: Path, to: Path) -> None:
    import torch

    try:
        program = torch.export.load(path)
    except Exception as error:
        raise DimmerError(
            f"{path.name}: torch cannot load it ({_line(error)}); write it with torch.export.save of this version"
        ) from error
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            torch.onnx.export(program, f=str(to), dynamo=True, external_data=False)
        except Exception as error:
            raise DimmerError(f"{path.name}: torch cannot write it as ONNX ({_line(error)})") from error


def _of_onnx(path: Path, called: str, work: Path) -> bytes:
    import onnx

    from dimmer.pipeline.conversion.onnx_to_float import convert

    source = work / "network.onnx"
    try:
        # With what lies in files beside it.
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except Exception as error:
        raise DimmerError(f"{called}: is damaged or no ONNX file ({_line(error)})") from error
    constants = {tensor.name for tensor in model.graph.initializer}
    for given in model.graph.input:
        if given.name in constants:
            continue
        sizes = given.type.tensor_type.shape.dim
        if sizes and not sizes[0].dim_value:
            sizes[0].dim_value = 1
        if open_ones := [size.dim_param or "?" for size in sizes if not size.dim_value]:
            raise DimmerError(f"{called}: input {given.name} has open sizes {', '.join(open_ones)}; export fixed ones")
        if sizes and sizes[0].dim_value != 1:
            raise DimmerError(f"{called}: input {given.name} has a batch of {sizes[0].dim_value}; export with 1")
    for made in model.graph.output:
        made.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    onnx.save(onnx.shape_inference.infer_shapes(model), source)
    try:
        convert(work, [source])
    except DimmerError:
        raise
    except BaseException as error:
        # onnx2tf ends the process where it cannot go on.
        if isinstance(error, KeyboardInterrupt):
            raise
        raise DimmerError(f"{called}: onnx2tf cannot convert it ({_line(error)})") from error
    content = (work / f"{source.stem}.float.tflite").read_bytes()
    _check_same(source, content, called)
    return with_output_names(content, [made.name for made in model.graph.output])


def with_output_names(content: bytes, names: Sequence[str]) -> bytes:
    """A float `.tflite` whose outputs are called as those that it was made of, in their order; onnx2tf keeps names of
    inputs alone. A name that another tensor has, and those of a tensor that is several ends, stay away.
    """
    model = unpack(content)
    graph = model.subgraphs[0]
    ends = [int(index) for index in (*graph.inputs, *graph.outputs)]
    for index, name in zip(map(int, graph.outputs), names, strict=True):
        others = {tensor.name for place, tensor in enumerate(graph.tensors) if place != index}
        if ends.count(index) == 1 and name.encode() not in others:
            graph.tensors[index].name = name.encode()
    return pack(model)


def _check_same(source: Path, content: bytes, called: str) -> None:
    """Whether the float `.tflite` computes what the ONNX file does."""
    import numpy as np
    import onnxruntime

    from dimmer.pipeline.conversion.given.observed import interpreter_of, run

    session = onnxruntime.InferenceSession(str(source), providers=["CPUExecutionProvider"])
    interpreter = interpreter_of(content)
    shapes = {end["name"].split(":")[0]: [*end["shape"]] for end in interpreter.get_input_details()}
    names = [end["name"].split(":")[0] for end in interpreter.get_input_details()]
    random = np.random.default_rng(0)
    ends = {end.name: end for end in session.get_inputs()}
    # onnx2tf keeps names, but for characters that TensorFlow has no use for.
    by_name = {name: next((end for end in ends if _bare(end) == _bare(name)), None) for name in names}
    if len(ends) == 1:
        by_name = dict.fromkeys(names, next(iter(ends)))
    if None in by_name.values() or len({*by_name.values()}) < len(ends):
        raise DimmerError(f"{called}: inputs lost their names; give them names of letters and digits and export again")
    for end in ends.values():
        if end.type != "tensor(float)":
            raise DimmerError(f"{called}: input {end.name} is {end.type}; inputs are float32, export it so")
    for _ in range(_CHECKED):
        given = {end.name: random.normal(0, 1, end.shape).astype(np.float32) for end in ends.values()}
        sample = [_laid_out(given[str(by_name[name])], shapes[name]) for name in names]
        wanted, found = session.run(None, given), run(interpreter, sample)
        for one, other in zip(wanted, found, strict=True):
            ways = [one] if one.ndim < 3 else [one, np.moveaxis(one, 1, -1)]
            if one.size != other.size or not any(within_tolerance(way.reshape(-1), other.reshape(-1)) for way in ways):
                raise DimmerError(
                    f"{called}: the converted network differs from it; onnx2tf cannot convert it: write it as Keras"
                )


def within_tolerance(wanted: Any, found: Any) -> bool:
    """Whether float32[N] are within the tolerance of others; what is not finite is the same at the same places."""
    import numpy as np

    finite = np.isfinite(wanted)
    if not np.array_equal(wanted[~finite], found[~finite], equal_nan=True):
        return False
    size = float(np.abs(wanted[finite]).max(initial=0.0)) or 1.0
    return bool(np.abs(wanted[finite] - found[finite]).max(initial=0.0) <= TOLERANCE * size)


def _laid_out(values: Any, shape: list[int]) -> Any:
    import numpy as np

    moved = np.moveaxis(values, 1, -1) if values.ndim > 2 else values
    return moved if [*moved.shape] == shape else values.reshape(shape)


def _bare(name: str) -> str:
    return "".join(letter for letter in name if letter.isalnum()).lower().removeprefix("servingdefault")


def _line(error: BaseException) -> str:
    from dimmer.children import in_a_line

    return in_a_line(error)[:160]
