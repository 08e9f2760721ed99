# SPDX-License-Identifier: Apache-2.0
"""Mutated `.tflite` files: every one must end in a readable error or in code that is right.

python -m tests.firmware_gen.fuzz 10000
"""

from __future__ import annotations

import copy
import hashlib
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from dimmer.firmware_gen.emit import header
from dimmer.firmware_gen.emit import source as emit
from dimmer.firmware_gen.emit.names import names_of
from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.generate import tables_of
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, run_oracle
from tests.firmware_gen.alias_cases import tangle
from tests.firmware_gen.harness import Case, edge_inputs, run_cases
from tests.firmware_gen.island_cases import tiny_island
from tests.firmware_gen.logic_cases import tiny_words
from tests.firmware_gen.networks import (
    tiny_ends,
    tiny_functions,
    tiny_logic,
    tiny_mix,
    tiny_mobile,
    tiny_moves,
    tiny_products,
    tiny_recurrent,
    tiny_resnet,
    tiny_state,
    tiny_unsigned,
    tiny_wide,
)
from tests.firmware_gen.sparse_cases import tiny_sparse
from tests.firmware_gen.tflite_builder import pack

FILE_SECONDS = 20
MEMORY_BYTES = 6 << 30
INTERESTING = (
    -(2**31),
    -129,
    -128,
    -2,
    -1,
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    16,
    63,
    64,
    127,
    128,
    255,
    256,
    32767,
    65535,
    65536,
    2**31 - 1,
)
INTERESTING_FLOATS = (0.0, -1.0, 1e-45, 1e-38, 1e-10, 1.0, 0.5, 1 / 256, 255.0, 1e10, 3e38, float("inf"), float("nan"))


@dataclass
class Outcome:
    """What became of a fuzzing run.

    Attributes:
        faults: descriptions of files that ended in neither an error message nor right code.
        survivors: distinct generated sources -> the file.
    """

    files: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    survivors: dict[str, bytes] = field(default_factory=dict)
    accepted: int = 0
    compared: int = 0
    refused_by_oracle: int = 0
    slowest_s: float = 0.0


def flip_bits(random: np.random.Generator, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 9))):
        changed[int(random.integers(len(changed)))] ^= 1 << int(random.integers(8))
    return bytes(changed)


def truncate(random: np.random.Generator, data: bytes) -> bytes:
    return data[: int(random.integers(len(data)))]


def overwrite_words(random: np.random.Generator, data: bytes) -> bytes:
    """Aligned 32-bit words become other ones: lengths, offsets, fields."""
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 4))):
        at = int(random.integers(len(changed) // 4)) * 4
        struct.pack_into("<i", changed, at, int(random.choice(INTERESTING)))
    return bytes(changed)


def splice_bytes(random: np.random.Generator, data: bytes) -> bytes:
    """A run of bytes is removed, repeated or overwritten by another run."""
    low, high = sorted(int(value) for value in random.integers(0, len(data), 2))
    kind = int(random.integers(3))
    if kind == 0:
        return data[:low] + data[high:]
    if kind == 1:
        return data[:high] + data[low:high] + data[high:]
    at = int(random.integers(len(data)))
    return (data[:at] + data[low:high] + data[at + high - low :])[: len(data)]


def change_fields(random: np.random.Generator, data: bytes) -> bytes:
    """One to three fields of the unpacked file change, and it is packed again: well-formed, but wrong."""
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    for _ in range(int(random.integers(1, 4))):
        _change_field(random, model)
    try:
        return pack(model)
    except (struct.error, TypeError, ValueError, OverflowError, AttributeError, KeyError):
        return data


def _change_field(random: np.random.Generator, model: Any) -> None:
    graph = model.subgraphs[0]
    places = [*graph.tensors, *graph.operators, *(t.quantization for t in graph.tensors if t.quantization is not None)]
    places += [o.builtinOptions for o in graph.operators if o.builtinOptions is not None] * 3
    places += [graph, *model.operatorCodes, *model.buffers]
    owner = places[int(random.integers(len(places)))]
    names = [name for name, value in vars(owner).items() if value is not None and not isinstance(value, str | bytes)]
    if not names:
        return
    name = names[int(random.integers(len(names)))]
    value = getattr(owner, name)
    if isinstance(value, bool):
        setattr(owner, name, not value)
    elif isinstance(value, int):
        setattr(owner, name, value + int(random.integers(-2, 3)) if random.random() < 0.5 else _number(random))
    elif isinstance(value, float):
        setattr(owner, name, float(random.choice(INTERESTING_FLOATS)) if random.random() < 0.5 else value * 2)
    elif isinstance(value, list | np.ndarray) and len(value):
        _change_list(random, owner, name, list(value))


def _change_list(random: np.random.Generator, owner: Any, name: str, items: list[Any]) -> None:
    at = int(random.integers(len(items)))
    kind = int(random.integers(5))
    if kind == 0:
        del items[at]
    elif kind == 1:
        items.insert(at, copy.deepcopy(items[at]))
    elif kind == 2:
        other = int(random.integers(len(items)))
        items[at], items[other] = items[other], items[at]
    elif isinstance(items[at], int | np.integer):
        items[at] = _number(random) if kind == 3 else int(items[at]) + int(random.integers(-2, 3))
        if isinstance(getattr(owner, name), np.ndarray):
            items[at] &= 0xFF
    elif isinstance(items[at], float):
        items[at] = float(random.choice(INTERESTING_FLOATS)) if kind == 3 else items[at] * float(random.uniform(0.5, 2))
    setattr(owner, name, np.array(items, dtype=np.uint8) if isinstance(getattr(owner, name), np.ndarray) else items)


def change_values(random: np.random.Generator, data: bytes) -> bytes:
    """Scales, zero points, constants and activations become other plausible ones: most of these files survive."""
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    graph = model.subgraphs[0]
    for _ in range(int(random.integers(1, 6))):
        kind = int(random.integers(4))
        tensor = graph.tensors[int(random.integers(len(graph.tensors)))]
        quantisation = tensor.quantization
        buffer = model.buffers[tensor.buffer]
        if kind == 0 and quantisation is not None and quantisation.scale is not None:
            factor = float(10 ** random.uniform(-2, 2))
            quantisation.scale = [float(scale) * factor for scale in quantisation.scale]
        elif kind == 1 and quantisation is not None and quantisation.zeroPoint is not None and buffer.data is None:
            quantisation.zeroPoint = [int(random.integers(-128, 128))]
        elif kind == 2 and buffer.data is not None and tensor.type in (schema.TensorType.INT8, schema.TensorType.INT32):
            values = np.array(buffer.data, dtype=np.uint8)
            step = 4 if tensor.type == schema.TensorType.INT32 else 1  # the low bytes of biases alone
            places = random.integers(0, len(values) // step, 8) * step
            values[places] = random.choice([0, 1, 127, 128, 129, 255], 8)
            buffer.data = values
        elif kind == 3:
            options = graph.operators[int(random.integers(len(graph.operators)))].builtinOptions
            if hasattr(options, "fusedActivationFunction"):
                options.fusedActivationFunction = int(random.integers(0, 4))
    return pack(model)


def _number(random: np.random.Generator) -> int:
    return int(random.choice(INTERESTING))


MUTATIONS: tuple[tuple[Callable[[np.random.Generator, bytes], bytes], float], ...] = (
    (flip_bits, 0.2),
    (truncate, 0.05),
    (overwrite_words, 0.2),
    (splice_bytes, 0.05),
    (change_fields, 0.35),
    (change_values, 0.15),
)


def mutate(random: np.random.Generator, data: bytes) -> bytes:
    chosen = int(random.choice(len(MUTATIONS), p=[share for _, share in MUTATIONS]))
    return MUTATIONS[chosen][0](random, data)


class _TooSlow(BaseException):
    pass


def _alarm(_number: int, _frame: FrameType | None) -> None:
    raise _TooSlow


def run(count: int, seed: int, samples: int, progress: Callable[[str], None] = lambda _text: None) -> Outcome:
    """Tries `count` files; compiles and compares up to `samples` of the distinct survivors."""
    random = np.random.default_rng(seed)
    seeds = [
        tiny_resnet(),
        tiny_mobile(),
        tiny_mix(),
        tiny_moves(),
        tiny_functions(),
        tiny_products(),
        tiny_ends(),
        tiny_state(),
        tiny_recurrent(),
        tiny_unsigned(),
        tiny_logic(),
        tiny_wide(),
        tangle(5),
        tangle(6),
        tiny_sparse(),
        tiny_island(),
        tiny_words(),
    ]
    outcome = Outcome()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    previous = signal.signal(signal.SIGALRM, _alarm)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, limits[1]))
    try:
        with tempfile.TemporaryDirectory(prefix="dimmer-fuzz-") as folder:
            for number in range(count):
                _try(outcome, mutate(random, seeds[number % len(seeds)]), Path(folder) / "fuzzed.tflite")
                if number % 500 == 499:
                    progress(f"{number + 1} files, {len(outcome.survivors)} distinct survivors")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.signal(signal.SIGALRM, previous)
    _compare(outcome, random, samples, progress)
    return outcome


def _try(outcome: Outcome, data: bytes, path: Path) -> None:
    path.write_bytes(data)
    outcome.files += 1
    start = time.monotonic()
    signal.alarm(FILE_SECONDS)
    try:
        tables = tables_of([ModeSource("fuzzed", path)], PolicyConfig())
        names = names_of("fuzzed")
        text = emit.emit_source(tables, names) + header.emit_header(tables, names)
        outcome.accepted += 1
        outcome.survivors.setdefault(hashlib.sha256(text.encode()).hexdigest(), data)
    except FirmwareGenError as error:
        message = str(error)
        outcome.messages[" ".join(word for word in message.split() if word.isalpha())] += 1
        if "\n" in message or not message.startswith("fuzzed.tflite: ") or len(message) > 4000:
            outcome.faults.append(f"a message that does not help: {message[:200]!r}")
    except _TooSlow:
        outcome.faults.append(f"took more than {FILE_SECONDS} s: {_keep(data)}")
    except Exception:
        outcome.faults.append(f"{traceback.format_exc(limit=-3)} {_keep(data)}")
    finally:
        signal.alarm(0)
    outcome.slowest_s = max(outcome.slowest_s, time.monotonic() - start)


def _keep(data: bytes) -> Path:
    """Writes a file that found a fault, so that a person can look at it."""
    path = Path(tempfile.gettempdir()) / f"fuzzed-{hashlib.sha256(data).hexdigest()[:12]}.tflite"
    path.write_bytes(data)
    return path


def _compare(outcome: Outcome, random: np.random.Generator, samples: int, progress: Callable[[str], None]) -> None:
    files = list(outcome.survivors.values())
    chosen = [files[int(index)] for index in random.permutation(len(files))[:samples]]
    for start in range(0, len(chosen), 100):
        with tempfile.TemporaryDirectory(prefix="dimmer-fuzz-") as folder:
            cases = []
            for number, data in enumerate(chosen[start : start + 100]):
                path = Path(folder) / f"survivor_{number}.tflite"
                path.write_bytes(data)
                cases.append(Case(path.stem, path, edge_inputs(path, 3, number)))
            expected = run_oracle([OracleJob(case.path, case.inputs) for case in cases], timeout_s=30)
            for case, want, got in zip(cases, expected, run_cases(cases, Path(folder)), strict=True):
                if isinstance(want, OracleFailure):
                    outcome.refused_by_oracle += 1
                    outcome.messages[f"(accepted here, refused by the oracle) {want.reason[:100]}"] += 1
                elif want != got:
                    outcome.faults.append(f"wrong results: {_keep(case.path.read_bytes())}")
                else:
                    outcome.compared += 1
        progress(f"{outcome.compared} survivors right, {outcome.refused_by_oracle} refused by the oracle")


if __name__ == "__main__":
    found = run(
        int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0, 400, lambda text: print(text, flush=True)
    )
    for message, times in found.messages.most_common(150):
        print(f"{times:6d} {message}")
    print(f"{found.files} files, {found.accepted} accepted, {len(found.survivors)} distinct, {found.compared} right")
    print(
        f"{found.refused_by_oracle} refused by the oracle, slowest {found.slowest_s:.2f} s, {len(found.faults)} faults"
    )
    for fault in found.faults[:30]:
        print(fault)
