# SPDX-License-Identifier: Apache-2.0
"""Single operators of random shapes, strides, channels and ranges: Vela and the model equal BUILTIN_REF."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.firmware_gen import test_operators as operators
from tests.firmware_gen.harness import edge_inputs
from tests.firmware_gen.tflite_builder import Layers

pytest.importorskip("ethosu.vela", reason="needs pip install 'dimmer-nn[npu]'")

from tests.pipeline.verification.npu.many import compare_many

BUILDS = {
    "conv": operators.conv,
    "pointwise": operators.pointwise,
    "depthwise": operators.depthwise,
    "dense": operators.dense,
    "add": operators.sum_or_product("ADD"),
    "sub": operators.sum_or_product("SUB"),
    "mul": operators.sum_or_product("MUL"),
    "pad_and_conv": operators.pad_and_conv,
    "mean": operators.mean,
    "max_pool": operators.pool("MAX_POOL_2D"),
    "average_pool": operators.pool("AVERAGE_POOL_2D"),
    "softmax": operators.softmax,
    "relu": operators.relu("RELU"),
    "reshape": operators.reshape,
}


def cases(folder: Path, seeds: Iterable[int]) -> list[tuple[Path, bytes]]:
    """A file and inputs for each seed, the kinds of operators by turns."""
    found = []
    kinds = list(BUILDS)
    for seed in seeds:
        kind = kinds[seed % len(kinds)]
        net = Layers(seed)
        source, output = BUILDS[kind](net)
        path = folder / f"{kind}_{seed}.tflite"
        path.write_bytes(net.build(source, output))
        found.append((path, edge_inputs(path, 3, seed)))
    return found


def check(folder: Path, accelerator: str, seeds: Iterable[int]) -> None:
    found = compare_many(cases(folder, seeds), accelerator)
    wrong = [one for one in found if one.wrong]
    assert wrong == []
    refused = Counter(one.refused for one in found if one.refused)
    # A MEAN over some axes is the one thing that Vela leaves to the processor.
    assert all("does not take MEAN" in reason for reason in refused), refused
    assert sum(not one.refused for one in found) >= 0.9 * len(found)


@pytest.mark.parametrize(("accelerator", "first"), [("ethos-u55-128", 0), ("ethos-u65-512", 14)])
def test_operators_are_exact(tmp_path: Path, accelerator: str, first: int) -> None:
    check(tmp_path, accelerator, range(first, first + 14))


@pytest.mark.slow
@pytest.mark.parametrize("accelerator", ["ethos-u55-32", "ethos-u55-64", "ethos-u55-256", "ethos-u65-256"])
def test_two_thousand_operators_are_exact(tmp_path: Path, accelerator: str) -> None:
    first = 500 * ["ethos-u55-32", "ethos-u55-64", "ethos-u55-256", "ethos-u65-256"].index(accelerator)
    check(tmp_path, accelerator, range(1000 + first, 1500 + first))
