# SPDX-License-Identifier: Apache-2.0
"""The tensors of a converted file recognised by value."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.exported import Sites
from dimmer.pipeline.networks.sites import owner_of_range

RELATIVE_TOLERANCE = 2e-3

_SAME_SCALE = ("PAD", "RESHAPE", "MAX_POOL_2D", "TRANSPOSE", "STRIDED_SLICE", "SLICE", "CONCATENATION")


def recognise(model: Path, sites: Sites) -> dict[str, str]:
    """Which tensor of a float .tflite is which site.

    Args:
        sites: of the mode that the file was converted from.

    Returns:
        Tensor name -> site, for every float tensor that an operator writes, and for the inputs.

    Raises:
        DimmerError: a tensor equals no site, or an input is missing.
    """
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    with warnings.catch_warnings():
        # It warns that keeping all tensors takes memory.
        warnings.simplefilter("ignore", UserWarning)
        interpreter = Interpreter(
            str(model),
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        )
    interpreter.allocate_tensors()

    def nhwc(x: Any) -> Any:
        return np.moveaxis(x, 1, -1) if x.ndim == 4 else x

    found: dict[str, str] = {}
    for source, site in _inputs(model, interpreter.get_input_details(), sites):
        given = nhwc(sites[site])
        shape = tuple(int(size) for size in source["shape"])
        if shape != given.shape:
            raise DimmerError(f"{model.name}: {site} is {shape}, not {given.shape} as exported")
        interpreter.set_tensor(source["index"], np.ascontiguousarray(given))
        found[source["name"]] = site
    interpreter.invoke()
    names = {d["index"]: d["name"] for d in interpreter.get_tensor_details()}
    for operator in interpreter._get_ops_details():
        index = operator["outputs"][0]
        value = interpreter.get_tensor(index)
        kept = {found.get(names[int(i)]) for i in _values(operator)}
        if operator["op_name"] in _SAME_SCALE and len(kept) == 1 and None not in kept:
            (read,) = kept
            assert read is not None
            same = [site for site in sites if site != read and owner_of_range(site) == owner_of_range(read)]
            found[names[index]] = next((site for site in same if _equal(value, nhwc(sites[site]))), read)
            continue
        # What has rows and columns of tokens, not of pixels, stays as it is.
        matches = [s for s, expected in sites.items() if _equal(value, nhwc(expected)) or _equal(value, expected)]
        if not matches:
            raise DimmerError(
                f"{model.name}: tensor '{names[index]}' ({operator['op_name']}, {tuple(value.shape)}) is none of the "
                f"network's sites; the converter changed the graph: install the versions of requirements.txt"
            )
        found[names[index]] = matches[0]
    return found


def _inputs(model: Path, details: Sequence[Any], sites: Sites) -> list[tuple[Any, str]]:
    """The file's inputs, each with its site."""
    wanted = [site for site in sites if site.startswith("input/")]
    if not wanted:
        return [(details[0], "input")]
    found = []
    for site in wanted:
        # Converters put their own words before a name, or behind it.
        name = re.compile(rf"(.*\W|.*default_|)input_{re.escape(site.removeprefix('input/'))}(\W.*)?")
        fitting = [source for source in details if name.fullmatch(source["name"])]
        if len(fitting) != 1:
            told = ", ".join(source["name"] for source in details)
            raise DimmerError(
                f"{model.name}: no input is {site}, there are {told}: install what requirements.txt names"
            )
        found.append((fitting[0], site))
    return found


def _values(operator: Any) -> list[int]:
    """The inputs that hold values, and not shapes or axes."""
    read = [int(index) for index in operator["inputs"]]
    return read if operator["op_name"] == "CONCATENATION" else read[:1]


def _equal(value: Any, expected: Any) -> bool:
    import numpy as np

    if value.size != expected.size or (value.ndim == 4 and expected.ndim == 4 and value.shape != expected.shape):
        return False
    scale = float(np.abs(expected).max()) or 1.0
    return bool(np.abs(value.reshape(-1) - expected.reshape(-1)).max() <= RELATIVE_TOLERANCE * scale)
