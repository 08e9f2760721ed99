# SPDX-License-Identifier: Apache-2.0
"""docs/operators.md says what the generator reads."""

from __future__ import annotations

import json

from dimmer.firmware_gen.graph.types import DType, Tensor
from dimmer.firmware_gen.kernels.families import KERNELS
from dimmer.firmware_gen.operators_page import BOARDS, COUNTS, OPERATORS, PAGE, counted, page
from dimmer.firmware_gen.read.operators import OperatorReader
from dimmer.firmware_gen.read.state import KINDS
from tests.firmware_gen.operator_counts import OPERATORS as COUNTED


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run python -m firmware_gen.operators_page"


def test_every_operator_that_is_read_has_a_row() -> None:
    read = OperatorReader("file", lambda _: Tensor("x", (), DType.INT8, None, None)).kinds
    assert set(OPERATORS) == {*read, *KINDS, "SHAPE"}


def test_every_kernel_that_is_named_exists() -> None:
    stems = {kernel.name.removeprefix("dimmer_") for kernel in KERNELS}
    for kind, (kernels, _) in OPERATORS.items():
        assert all(any(stem.startswith(name) or name in stem for stem in stems) for name in kernels), kind
    named = {name for kernels, _ in OPERATORS.values() for name in kernels}
    helpers = {"state_s8", "conv2d_s8"}
    plain = {stem for stem in stems - helpers if stem.endswith("_s8")} - {"quantize_f32_s8"}
    assert {stem.removesuffix("_s8") for stem in plain} <= named


def test_counts_have_a_row_each_of_operators_that_are_read() -> None:
    names = json.loads(COUNTS.read_text())
    assert set(names) == set(COUNTED)
    assert all(name.split(",")[0].split(" ")[0] in OPERATORS for name in names)
    row = {board: {"instructions": number, "kernel": "dimmer_add_s8"} for number, board in enumerate(BOARDS)}
    assert counted({"ADD": {"unit": "element", **row}}).endswith("| ADD | element | 0.00 | 1.00 | 2.00 | `add_s8` |\n")
