# SPDX-License-Identifier: Apache-2.0
"""Compiles generated models for the machine at hand, many into one program, and runs them under the sanitizers."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dimmer.firmware_gen.generate import GeneratedModel, generate
from dimmer.firmware_gen.graph.types import DType, Tensor
from dimmer.firmware_gen.library import INCLUDE
from dimmer.firmware_gen.library import sources as runtime_sources
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, run_oracle
from dimmer.pipeline.oracle.sample_inputs import float_limits, index_limits
from dimmer.targets.kit.toolchain import compile_objects
from tests.firmware_gen.runtime.c_library import ASSERTING

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wcast-align", "-Wundef", "-Werror"]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@dataclass(frozen=True)
class Case:
    """A model and the inputs to try on it.

    Attributes:
        inputs: one input tensor's bytes after the other.
        modes: the generated model's modes; the file alone where empty.
        plans: for each input the mode id at each position; mode 0 everywhere where empty.
        core: whose variants of kernels are taken; they must be in C99.
        scratch_limit: bytes, or as much as is fastest.
    """

    name: str
    path: Path
    inputs: bytes
    modes: tuple[ModeSource, ...] = ()
    plans: tuple[tuple[int, ...], ...] = ()
    core: str = ""
    scratch_limit: int | None = None


def edge_inputs(path: Path, random_count: int, seed: int = 0, edge_count: int = 0) -> bytes:
    """Inputs for a model: all codes at either end, constants, checkerboards, sparse ones, then random ones."""
    graph = read_tflite(path)
    limits, largest = index_limits(graph), float_limits(graph)
    if not graph.inputs:
        whole = graph.tensors[graph.input]
        return b"".join(_rows(whole, random_count, seed, edge_count, limits.get(0), largest.get(0)))
    rows = [
        _rows(part.tensor, random_count, seed + at, edge_count, limits.get(part.offset), largest.get(part.offset))
        for at, part in enumerate(graph.inputs)
    ]
    order = sorted(range(len(rows)), key=lambda place: graph.inputs[place].offset)
    return b"".join(rows[place][sample] for sample in range(min(map(len, rows))) for place in order)


def _rows(
    tensor: Tensor, random_count: int, seed: int, edge_count: int, limit: int | None, largest: float | None
) -> list[bytes]:
    random = np.random.default_rng(seed)
    size = tensor.elements
    if tensor.dtype is DType.FLOAT32:
        edges = [np.full(size, value, np.float32) for value in (0.0, 1.0, -1.0, 1e6, -1e6, 1e-9)]
        rows = [random.normal(0, 3, size).astype(np.float32) for _ in range(random_count)]
        end = np.inf if largest is None else largest
        return [np.clip(row, -end, end).astype("<f4").tobytes() for row in (*edges, *rows)]
    if tensor.dtype is DType.INT16:
        wide = [np.full(size, value) for value in (-(2**15), 2**15 - 1, 0)]
        wide += [random.integers(-(2**15), 2**15, size) >> int(random.integers(0, 9)) for _ in range(random_count)]
        return [row.astype("<i2").tobytes() for row in wide]
    if tensor.dtype is DType.INT32:
        numbers = [np.full(size, value) for value in (0, 1, -1, 2**31 - 1, -(2**31), 300)]
        numbers += [random.integers(-(2**31), 2**31, size) >> random.integers(0, 31, size) for _ in range(random_count)]
        return [(row if limit is None else row % limit).astype("<i4").tobytes() for row in numbers]
    if tensor.dtype is DType.BOOL:
        flags = [np.zeros(size), np.ones(size), *(np.arange(size) // n % 2 for n in (1, 2, 3, 5))]
        flags += [random.integers(0, 2, size) for _ in range(random_count)]
        return [row.astype(np.uint8).tobytes() for row in flags]
    zero_point = tensor.q.zero_point & 0xFF
    low, high = (0x80, 0x7F) if tensor.dtype is DType.INT8 else (0, 255)
    board = np.indices(tensor.shape).sum(axis=0).reshape(-1) % 2
    edges_u8 = [
        np.full(size, low),
        np.full(size, high),
        np.full(size, zero_point),
        np.where(board, low, high),
        np.where(board, high, low),
        np.arange(size),
    ]
    while len(edges_u8) < edge_count:
        kind = len(edges_u8) % 4
        if kind == 0:  # sparse
            row = np.full(size, zero_point)
            row[random.integers(0, size, max(size // 50, 1))] = random.integers(0, 256, max(size // 50, 1))
        elif kind == 1:  # constant
            row = np.full(size, random.integers(0, 256))
        elif kind == 2:  # only the two ends
            row = np.where(random.random(size) < random.random(), low, high)
        else:  # one element out of line
            row = np.full(size, random.choice([low, high, zero_point]))
            row[random.integers(0, size)] = random.choice([low, high])
        edges_u8.append(row)
    random_rows = [random.integers(0, 256, size) for _ in range(random_count)]
    return [np.asarray(row).astype(np.uint8).tobytes() for row in (*edges_u8, *random_rows)]


def compile_models(models: Sequence[GeneratedModel], work: Path) -> Path:
    """One program of models whose names differ."""
    work.mkdir(parents=True, exist_ok=True)
    sources = [path for model in models for path in model.sources]
    names = [model.symbol for model in models]
    table = work / "models.c"
    table.write_text(
        '#include "dimmer_tables.h"\n'
        + "".join(f"extern const dimmer_model_t {name};\n" for name in names)
        + "extern const dimmer_model_t *const harness_models[];\nextern const unsigned harness_model_count;\n"
        + f"const dimmer_model_t *const harness_models[] = {{{', '.join('&' + name for name in names)}}};\n"
        + f"const unsigned harness_model_count = {len(names)}u;\n"
    )
    program = work / "models"
    common = ["gcc", "-std=gnu11", f"-I{INCLUDE}", *SANITIZE]
    objects: list[Path] = []
    library = runtime_sources(sorted({kernel for model in models for kernel in model.kernels}))
    for name, files, flags in (
        ("tables", [*sources, table], ["-O0", *WARNINGS]),
        ("runtime", [*library, Path(__file__).with_name("harness.c")], ["-O1", *ASSERTING]),
    ):
        folder = work / name
        folder.mkdir(exist_ok=True)
        objects += compile_objects([*common, *flags], files, folder, folder)
    check([*common, *map(str, objects), "-lm", "-o", str(program)], work)
    return program


def check(command: list[str], cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:4000]


def run_models(program: Path, records: Sequence[bytes], timeout_s: float = 300) -> bytes:
    """Everything that the program writes; `records` are each model's count and records."""
    done = subprocess.run([str(program)], input=b"".join(records), capture_output=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[:4000]
    return done.stdout


def run_cases(cases: Sequence[Case], work: Path) -> list[bytes]:
    """Generates, compiles and runs all cases; gives each one's outputs."""
    models, records, sizes = [], [], []
    for number, case in enumerate(cases):
        model = generate(
            case.modes or (ModeSource(case.name, case.path),),
            work / f"case_{number}",
            scratch_limit=case.scratch_limit,
            name=f"case {number}",
            core=case.core,
        )
        models.append(model)
        records.append(_records(case, model))
        sizes.append(len(case.inputs) // model.input_bytes * model.output_bytes)
    written = run_models(compile_models(models, work / "build"), records)
    assert len(written) == sum(sizes)
    outputs = []
    for size in sizes:
        outputs.append(written[:size])
        written = written[size:]
    return outputs


def _records(case: Case, model: GeneratedModel) -> bytes:
    size = model.input_bytes
    inputs = [case.inputs[at : at + size] for at in range(0, len(case.inputs), size)]
    plans = case.plans or ((0,) * model.positions,) * len(inputs)
    return struct.pack("<I", len(inputs)) + b"".join(
        bytes(plan) + data for plan, data in zip(plans, inputs, strict=True)
    )


def mismatches(expected: bytes, actual: bytes, count: int) -> int:
    """How many of `count` outputs differ."""
    size = len(expected) // count
    return sum(expected[at : at + size] != actual[at : at + size] for at in range(0, len(expected), size))


def assert_exact(cases: Sequence[Case], work: Path) -> None:
    """Every case's outputs equal the reference kernels' bit for bit."""
    outputs = run_cases(cases, work)
    expected = run_oracle([OracleJob(case.path, case.inputs) for case in cases])
    wrong = []
    for case, want, got in zip(cases, expected, outputs, strict=True):
        if isinstance(want, OracleFailure):
            wrong.append(f"{case.name}: the oracle failed: {want.reason}")
        elif want != got:
            a, b = np.frombuffer(want, np.int8).astype(int), np.frombuffer(got, np.int8).astype(int)
            wrong.append(f"{case.name}: {int((a != b).sum())} of {a.size} bytes differ, by up to {np.abs(a - b).max()}")
    assert not wrong, "\n".join(wrong)
