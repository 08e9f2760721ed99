# SPDX-License-Identifier: Apache-2.0
"""A blob without a byte was placed behind four bytes of the core's, at an address that the NPU's driver refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.npu.chain import core_part
from dimmer.firmware_gen.npu.emit import npu_tables
from dimmer.firmware_gen.npu.kernel import ETHOS_U
from tests.firmware_gen.npu.test_chain import ENDS, chain, streams
from tests.firmware_gen.tflite_builder import Layers


def test_an_empty_blob_has_no_place(tmp_path: Path) -> None:
    bare = replace(streams(), blob=b"", modes=tuple(replace(mode, read_only=b"") for mode in streams().modes))
    one = chain(tmp_path)
    layers = Layers(1)
    x = layers.activation([1, 4], 0.5, 3)
    four = layers.tensor("four", [1, 4], "int8", 0.5, 3, 0, np.array([[1, 2, 3, 4]]))
    both = layers.same("CONCATENATION", x, [1, 8], [four], axis=1)
    corners = [layers.constant(name, values) for name, values in (("b", [0, 2]), ("e", [1, 6]), ("s", [1, 1]))]
    path = tmp_path / "88-0.tflite"
    path.write_bytes(layers.build(x, layers.same("STRIDED_SLICE", both, [1, 4], corners)))
    first = core_part("88-0", path, (0,), (1,), "", None)
    tables = npu_tables(bare, [replace(one, parts=(first, *one.parts[1:]))], (ENDS[0], ENDS[1]), even_policy(1))
    (records,) = [table for table in tables.records if table.kernel == ETHOS_U]
    assert [record.values[2:4] for record in records.records] == [(0, 0)]
