# SPDX-License-Identifier: Apache-2.0
"""Writes docs/operators.md: every TFLite operator that is read, with its kernel and its limits.

python -m firmware_gen.operators_page
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dimmer.firmware_gen.files import write_atomically
from dimmer.firmware_gen.kernels.families import FAMILIES, PORTABLE
from dimmer.firmware_gen.read.islands import ELEMENTWISE
from dimmer.firmware_gen.read.operators import ADVICE
from dimmer.firmware_gen.read.record import WIDE
from dimmer.firmware_gen.read.state import KINDS
from dimmer.firmware_gen.read.unsigned import OTHERWISE, SIGNED_ALONE

_ROOT = Path(__file__).resolve().parent.parent
PAGE = _ROOT / "docs" / "operators.md"
COUNTS = _ROOT / "benchmarks" / "operators.json"
"""What `python -m tests.firmware_gen.operator_counts` counted."""
BOARDS = {"mps2-an385-v6m": "Cortex-M0+", "mps2-an386": "Cortex-M4", "mps3-an547": "Cortex-M55"}
"""Emulated boards on which it counts, and their cores."""

_MOVES, _ONE_CODE = ("copy", "transpose", "take"), ("lut",)
_NOTHING = "no kernel: the same bytes under another shape; every type"
_COMPARED = "scales below 1; broadcasts as ADD"
OPERATORS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "ABS": (_ONE_CODE, ""),
    "ADD": (("add", "sum"), "broadcasts over at most 4 runs of dimensions; a constant may be either side"),
    "ARG_MAX": (("arg_extreme",), "constant axis; int32 and int64"),
    "ARG_MIN": (("arg_extreme",), "constant axis; int32 and int64"),
    "ASSIGN_VARIABLE": (("copy",), "int8; not a state as it is"),
    "AVERAGE_POOL_2D": (("average_pool_2d",), "batch 1"),
    "BATCH_MATMUL": (("batch_matmul",), "sums of fewer than 32,768 products; either side constant or computed"),
    "BATCH_TO_SPACE_ND": (_MOVES, "to a batch of 1; constant blocks and crops"),
    "BROADCAST_TO": (_MOVES, "constant shape"),
    "CALL_ONCE": ((), "a subgraph that only assigns constants to variables"),
    "CAST": (("cast",), "of all types but float32; codes as they are"),
    "CONCATENATION": (("copy",), "at most 64 inputs of one scale and zero point, constants among them"),
    "CONV_2D": (("conv2d",), "batch 1, constant int8 or int4 weights, no groups; sums of at most 65,535 products"),
    "DEPTHWISE_CONV_2D": (("depthwise_conv2d",), "batch 1, constant int8 or int4 weights"),
    "DEPTH_TO_SPACE": (_MOVES, "batch 1"),
    "DEQUANTIZE": (("dequantize",), "to float32"),
    "DIV": (_ONE_CODE, "by one constant; where TFLite shifts by more than 31 bits its result is undefined: refused"),
    "EQUAL": (("compare",), f"int8 and bool; {_COMPARED}"),
    "EXP": (_ONE_CODE, "results within 2^30 steps of the output"),
    "EXPAND_DIMS": ((), _NOTHING),
    "FLOOR_DIV": (_ONE_CODE, "by one constant, of the codes themselves"),
    "FULLY_CONNECTED": (("fully_connected",), "constant int8 or int4 weights"),
    "GATHER": ((*_MOVES, "gather"), "indexes constant, computed or an input, int32; no batch dimensions"),
    "GELU": (_ONE_CODE, "exact and approximated"),
    "GREATER": (("compare",), f"int8; {_COMPARED}"),
    "GREATER_EQUAL": (("compare",), f"int8; {_COMPARED}"),
    "HARD_SWISH": (_ONE_CODE, ""),
    "L2_NORMALIZATION": (("l2_normalization",), "over the last dimension, fewer than 32,768 elements"),
    "LEAKY_RELU": (_ONE_CODE, ""),
    "LESS": (("compare",), f"int8; {_COMPARED}"),
    "LESS_EQUAL": (("compare",), f"int8; {_COMPARED}"),
    "LOG": (_ONE_CODE, "what is not positive becomes the smallest code"),
    "LOGICAL_AND": (("minimum",), "broadcasts as ADD; no constants"),
    "LOGICAL_NOT": (_ONE_CODE, ""),
    "LOGICAL_OR": (("maximum",), "broadcasts as ADD; no constants"),
    "LOGISTIC": (_ONE_CODE, "output scale 1/256, zero point -128; of int16 1/32768"),
    "MAXIMUM": (("maximum",), "of the codes; broadcasts as ADD"),
    "MAX_POOL_2D": (("max_pool_2d",), "batch 1"),
    "MEAN": (("mean",), "at most two runs of dimensions, fewer than 2^23 elements, of int16 than 65,536"),
    "MINIMUM": (("minimum",), "of the codes; broadcasts as ADD"),
    "MIRROR_PAD": (_MOVES, "constant paddings"),
    "MUL": (("mul",), "broadcasts as ADD"),
    "NEG": (_ONE_CODE, "of the codes, as TFLite does it"),
    "NOT_EQUAL": (("compare",), f"int8 and bool; {_COMPARED}"),
    "PACK": (("copy",), "at most 64 inputs"),
    "PAD": (("pad",), "constant paddings, at most 4 dimensions; none before a convolution"),
    "PADV2": (("pad",), "constant paddings and value, at most 4 dimensions"),
    "PRELU": (("prelu",), "constant slopes"),
    "QUANTIZE": (("requantize", "quantize_f32"), "float32 to all; int8 to uint8 and int16 and back"),
    "READ_VARIABLE": ((), "int8; no kernel: the state itself"),
    "REDUCE_MAX": (("reduce_extreme",), "one scale and zero point; at most two runs of dimensions"),
    "REDUCE_MIN": (("reduce_extreme",), "one scale and zero point; at most two runs of dimensions"),
    "RELU": (("requantize",), ""),
    "RELU6": (("requantize",), ""),
    "RELU_0_TO_1": (_ONE_CODE, ""),
    "RELU_N1_TO_1": (("requantize",), ""),
    "RESHAPE": ((), _NOTHING),
    "RESIZE_BILINEAR": (("resize_bilinear",), "batch 1, constant size, not both options at once"),
    "RESIZE_NEAREST_NEIGHBOR": (_MOVES, "batch 1, constant size"),
    "REVERSE_V2": (_MOVES, "constant axes"),
    "RSQRT": (_ONE_CODE, "the interpreter stops at values below 0"),
    "SELECT": (("select",), "of the codes, or of bool"),
    "SELECT_V2": (("select",), "of the codes, or of bool; broadcasts as ADD"),
    "SHAPE": ((), "no kernel: a constant"),
    "SLICE": (_MOVES, "constant begin and size"),
    "SOFTMAX": (("softmax",), "over the last dimension, at most 4,096 elements, of int16 65,535"),
    "SPACE_TO_BATCH_ND": (_MOVES, "of a batch of 1; constant blocks and paddings"),
    "SPACE_TO_DEPTH": (_MOVES, "batch 1"),
    "SPLIT": (_MOVES, "constant axis"),
    "SPLIT_V": (_MOVES, "constant sizes and axis"),
    "SQRT": (_ONE_CODE, "the interpreter stops at values below 0"),
    "SQUARED_DIFFERENCE": (("squared_difference",), "broadcasts as ADD"),
    "SQUEEZE": ((), _NOTHING),
    "STRIDED_SLICE": (_MOVES, "constant begin, end and strides; every mask"),
    "SVDF": (("svdf",), "batch 1, int8 with a state and time weights of int16"),
    "SUB": (("sub", "sum"), "broadcasts as ADD"),
    "TANH": (_ONE_CODE, ""),
    "TILE": (_MOVES, "constant multiples"),
    "TRANSPOSE": (("transpose",), "at most 4 dimensions"),
    "TRANSPOSE_CONV": (("transpose_conv",), "batch 1, constant weights and output shape"),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (
        ("lstm",),
        "batch 1, int8 with cells of int16; no peepholes, projection, layer normalisation or coupled gates",
    ),
    "UNPACK": (_MOVES, ""),
    "VAR_HANDLE": ((), "no kernel"),
}
"""Kind -> its kernels' names without `dimmer_` and types, and what it is limited to."""

_HEAD = """\
# Operators

What of a `.tflite` becomes C, bit for bit as TFLite's reference kernels (BUILTIN_REF) compute it. Activations are
int8 with one scale and zero point a tensor; inputs and outputs may be float32 or uint8 where QUANTIZE and DEQUANTIZE
stand at the ends. Inputs may be int32 and bool (0 or 1 a byte), too, for CAST, GATHER, LOGICAL_AND and its kin and
SELECT; outputs may be any whole numbers and bool. Files of uint8 activations are computed as int8, every code
and zero point less by 128, with the same results; their inputs and outputs stay uint8. Weights whose codes less their
zero point leave int8 have kernels of their own, whose names end in `_offset` and which are slower.

What is not here is refused with the operator, its tensor and what would do; `dimmer inspect FILE` shows all of a
file at once.

Files of int16 activations with int8 weights (16x8) run on portable kernels, whose names end in `_s16`; sums of
convolutions have 64 bits, as the interpreter's.

## Slices and parts

A SLICE, STRIDED_SLICE, SPLIT or UNPACK along the outermost dimension that is not 1 is read where it lies, and what is
joined along it by CONCATENATION or PACK is computed in its place, as are several inputs and outputs of a model: no
copy is made where the arena stays as small and where the kernels find what they read by words on the boundary of one.
Where some of them would take more of the arena, the others are found by at most 24 further plans: up to 24 copies one
by one, more of them by halves of halves, so that in a file of many a few are made that need not be.
`dimmer inspect` lists these tensors. `vad.tflite` of [models.md](models.md) went from 54,415 instructions and 3,840
bytes of arena to 53,290 and 3,664 by it, counted on mps2-an386.

## Float operators within

Float32 operators between a DEQUANTIZE and a QUANTIZE, of which each element is a function of the same element of one
int8 tensor, constants being single numbers, are one table of 256 codes (`lut`), which the interpreter itself computes
when the C is generated: %s.

So a table is what the TFLite interpreter computes on the host that generates: EXP, LOGISTIC and their kin are those of
its mathematical library, and where a result lies between two codes another one may choose the other. The C is the
same where interpreter and library are. A result that is not a number or 2^31 steps of the output from 0 (LOG and SQRT
below 0, DIV by 0) has no defined code: such a file is refused with the operator and its tensor.

## TFLite-Micro's bits

TFLite-Micro's reference kernels differ in a few places from those of the TFLite interpreter (ai-edge-litert), which is
what a firmware is compared with: FULLY_CONNECTED is rescaled in double there and by multiplier and shift in
TFLite-Micro, which makes a code or two of difference. `dimmer firmware --tflite FILE
--reference tflm` (and `dimmer survey`, `dimmer validate`) makes C that gives TFLite-Micro's bits, and compares it
with TFLite-Micro's own interpreter: the package `tflite-micro`, in Dimmer's Python or in the one that
`DIMMER_TFLM_PYTHON` names; without it the command is refused. What differs, of all operators here, by random files
that both ran:

| operator | TFLite interpreter | TFLite-Micro, with `--reference tflm` |
|---|---|---|
| FULLY_CONNECTED, int8 and int16 | rescales in double | multiplier and shift; at most 65,535 inputs |
| MUL, PRELU | factor from float32 | factor from double |
| TANH of int8 | any output scale | output scale 1/128 and zero point 0, whatever the file says |
| RELU6 of int8 | rescales | clamps the codes of its input |
| SPACE_TO_BATCH_ND | pads with the zero point | pads with code 0 |
| UNIDIRECTIONAL_SEQUENCE_LSTM | - | other steps: refused |
| RELU and RELU6 of int16 | rescales | has no such kernel: refused |

What TFLite-Micro itself does not run is told with its reason. SVDF was not compared: the package ended at every file.

## List

Written by `python -m firmware_gen.operators_page`. The last column names the instruction sets that have kernels of
their own for it, besides portable C99.

| operator | types | kernels | limits | own kernels for |
|---|---|---|---|---|
"""


_REFUSED = """
## Refused

Between QUANTIZE and DEQUANTIZE everything is integers, but for [functions of one code](#float-operators-within): other
float32 operators in an int8 file are refused with the operator before which to end the file, files of float32
throughout with the command that quantises them ([own-tflite.md](tutorials/own-tflite.md)). Weights that a file keeps
without their zeros (sparse ones, DENSIFY) are unpacked as they are read: flash holds them whole. Inputs of int64
are refused, and whole numbers have no arithmetic. Two operators are read as the reference kernels compute them although
that is odd: NEG turns the codes, whatever the scales, and SQRT cuts where others round.

| operator | why, and what to do |
|---|---|
"""

_COUNTED = """
## Instructions

Of an element of the output (where it says so, of the input), or of a multiply-accumulate, from weights in flash to
the codes, everything included; counted on emulated boards by `python -m tests.firmware_gen.operator_counts`, on
images of 16x16x16 where nothing else is said. The kernel is that of the Cortex-M4.

"""


def page() -> str:
    """The text of docs/operators.md."""
    rows = "".join(_row(kind, *entry) for kind, entry in sorted(OPERATORS.items()))
    refused = "".join(f"| {kind} | {why} |\n" for kind, why in sorted(ADVICE.items()) if kind not in OPERATORS)
    return (
        _HEAD.replace("%s", ", ".join(sorted(ELEMENTWISE)))
        + rows
        + _COUNTED
        + counted(json.loads(COUNTS.read_text()))
        + _REFUSED
        + refused
    )


def counted(counts: Mapping[str, Mapping[str, Any]]) -> str:
    """The table of instructions: what, of which unit, on which board how many and by which kernel."""
    lines = [f"| operator | unit | {' | '.join(BOARDS.values())} | kernel |", f"|---|---|{'---:|' * len(BOARDS)}---|"]
    for name, row in counts.items():
        numbers = " | ".join(f"{row[board]['instructions']:.2f}" for board in BOARDS)
        kernel = row["mps2-an386"]["kernel"].removeprefix("dimmer_")
        lines.append(f"| {name} | {row['unit']} | {numbers} | `{kernel}` |")
    return "\n".join(lines) + "\n"


def _row(kind: str, kernels: tuple[str, ...], limits: str) -> str:
    named = ", ".join(f"`{name}`" for name in kernels)
    return f"| {' | '.join((kind, _types(kind), named or '-', limits or '-', _own(kernels)))} |\n"


def _types(kind: str) -> str:
    """Of activations."""
    found = ["int8", *([] if kind in (*OTHERWISE, *SIGNED_ALONE, *KINDS) else ["uint8"])]
    return "bool" if kind.startswith("LOGICAL") else ", ".join([*found, *(["int16"] if kind in WIDE else [])])


def _own(kernels: tuple[str, ...]) -> str:
    """Instruction sets with a variant of one of the kernels."""
    found = [
        family.name
        for family in FAMILIES
        if family.folder != PORTABLE.folder
        and any(kernel.name.startswith(f"dimmer_{name}_s8_") for kernel in family.kernels for name in kernels)
    ]
    return ", ".join(found) or "-"


def main() -> None:
    """Writes the page, and names it."""
    write_atomically(PAGE, page())
    print(PAGE)


if __name__ == "__main__":
    main()
