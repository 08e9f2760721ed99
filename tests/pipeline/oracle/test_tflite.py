# SPDX-License-Identifier: Apache-2.0
"""A `.tflite` file as objects and back."""

from __future__ import annotations

import numpy as np

from dimmer.pipeline.oracle.tflite import pack, unpack
from tests.firmware_gen.networks import tiny_resnet


def test_packing_what_was_unpacked_keeps_operators_tensors_and_constants() -> None:
    before = unpack(tiny_resnet())
    after = unpack(pack(before))
    (ours,), (theirs,) = after.subgraphs, before.subgraphs
    assert [(o.opcodeIndex, list(o.inputs), list(o.outputs)) for o in ours.operators] == [
        (o.opcodeIndex, list(o.inputs), list(o.outputs)) for o in theirs.operators
    ]
    assert [tensor.name for tensor in ours.tensors] == [tensor.name for tensor in theirs.tensors]
    sizes = []
    for one, other in zip(after.buffers, before.buffers, strict=True):
        a, b = (np.asarray([] if buffer.data is None else buffer.data) for buffer in (one, other))
        assert a.tolist() == b.tolist()
        sizes.append(len(a))
    assert max(sizes) > 0


def test_a_packed_file_says_what_it_is() -> None:
    assert pack(unpack(tiny_resnet()))[4:8] == b"TFL3"
