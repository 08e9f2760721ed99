# SPDX-License-Identifier: Apache-2.0
"""Float `.tflite` to int8, with the calibrated ranges and the network's names."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from dimmer.pipeline.oracle.tflite import pack, unpack


def quantise(model: Path, sites: Mapping[str, str], ranges: Mapping[str, tuple[float, float]]) -> bytes:
    """The int8 .tflite of a float one: weights int8 per channel, activations with the given ranges.

    Args:
        sites: tensor name -> site, from `recognise`.
        ranges: site -> (low, high).
    """
    import contextlib
    import io

    import numpy as np
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    from ai_edge_quantizer import quantizer
    from ai_edge_quantizer import recipe as recipes
    from numpy.typing import NDArray

    reader = Interpreter(str(model), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    statistics: dict[str, dict[str, NDArray[np.float32]]] = {}
    for d in reader.get_tensor_details():
        if d["name"] in sites:
            low, high = ranges[sites[d["name"]]]
            shape = (1,) * len(d["shape"])
            statistics[d["name"]] = {
                "min": np.full(shape, low, np.float32),
                "max": np.full(shape, high, np.float32),
            }
    worker = quantizer.Quantizer(str(model))
    worker.load_quantization_recipe(recipes.static_wi8_ai8())
    said = io.StringIO()
    # It prints a report, and draws bars of its own for large networks, whatever it is asked for.
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        result = worker.quantize(statistics)
    return bytes(result.quantized_model)


def named(model: bytes, sites: Mapping[str, str], order: Sequence[str] = ()) -> bytes:
    """The same model with its tensors named after the network's sites.

    A tensor gets its site's name ("0.1.out"), constants the name of what they make ("logits/weights"), a second
    tensor of a site its operator's ("0.1.out/pad"). Generated C, reports and error messages speak these names. Several
    inputs and outputs have the names that the recipe gives them, and stand in its order.

    Args:
        sites: tensor name -> site.
        order: sites, in which those of several inputs and outputs are in the recipe's order.
    """
    from ai_edge_litert import schema_py_generated as schema

    parsed = unpack(model)
    kinds = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    graph = parsed.subgraphs[0]
    old = [tensor.name.decode() for tensor in graph.tensors]
    new = {int(index): sites[old[int(index)]].removeprefix("input/") for index in graph.inputs}
    taken = set(new.values())
    for operator in graph.operators:
        kind = kinds[parsed.operatorCodes[operator.opcodeIndex].builtinCode]
        made = int(operator.outputs[0])
        site = sites[old[made]]
        again = (f"{site}/{kind.lower()}{number or ''}" for number in itertools.count())
        new[made] = site if site not in taken else next(name for name in again if name not in taken)
        taken.add(new[made])
        read = len(operator.inputs)
        others = [kind.lower(), *(f"{kind.lower()}_{number}" for number in range(2, read))]
        roles = ("input", "weights", "bias") if read == 3 else ("input", *others)
        for role, tensor in zip(roles[:read], operator.inputs, strict=True):
            new.setdefault(int(tensor), f"{new[made]}/{role}")
    for index in map(int, graph.outputs):
        new[index] = new[index].removeprefix("out_")
    if order:
        graph.inputs, graph.outputs = (
            sorted(map(int, ends), key=lambda index: order.index(sites[old[index]]))
            for ends in (graph.inputs, graph.outputs)
        )
    for signature in parsed.signatureDefs or ():
        for end in (*signature.inputs, *signature.outputs):
            end.name = new.get(end.tensorIndex, old[end.tensorIndex]).encode()
    for i, tensor in enumerate(graph.tensors):
        tensor.name = new.get(i, old[i]).encode()
    return pack(parsed)
