# SPDX-License-Identifier: Apache-2.0
"""Modes of several parts: where their parts and values lie, and that the runtime runs them in their order."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.known_answers import KnownAnswers
from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.emit.tables import Tables
from dimmer.firmware_gen.errors import FirmwareGenError
from dimmer.firmware_gen.graph.types import DType, Quantisation, Tensor
from dimmer.firmware_gen.library import INCLUDE, engine_sources, kernel_sources, npu_sources
from dimmer.firmware_gen.npu.chain import LINE, Chain, StreamPart, core_part, planned, whole
from dimmer.firmware_gen.npu.compiled import End
from dimmer.firmware_gen.npu.emit import generate_npu, npu_tables
from dimmer.firmware_gen.npu.kernel import ETHOS_U
from dimmer.firmware_gen.npu.rehearsal import emit_rehearsal, streams_of
from dimmer.firmware_gen.npu.relink import Relinked
from tests.firmware_gen.harness import WARNINGS
from tests.firmware_gen.runtime.test_ethos_u import two_streams
from tests.firmware_gen.tflite_builder import Layers

PROGRAM = Path(__file__).parents[1] / "runtime" / "ethos_u_chain_test.c"
ENDS = tuple(Tensor(name, (1, 4), DType.INT8, Quantisation((0.5,), (3,)), None) for name in ("x", "y"))


def streams() -> Relinked:
    first, second = two_streams().modes
    first = replace(first, name="88-0", inputs=(End(1, 0, 4),), outputs=(End(1, 16, 4),))
    inputs, outputs = (End(1, 4, 4), End(1, 20, 4)), (End(1, 32, 4),)
    second = replace(second, name="88-2", packed=b"", inputs=inputs, outputs=outputs)
    return replace(two_streams(), modes=(first, second), owners=(0, 0), packed=b"")


def chain(folder: Path) -> Chain:
    """Value 1 is x + 1, 2 the same turned round by the core, 3 the sum of both."""
    layers = Layers(1)
    x = layers.activation([1, 4], 0.5, 3)
    turned = layers.operator("REVERSE_V2", [x, layers.constant("axis", [1])], layers.activation([1, 4], 0.5, 3, "t"))
    path = folder / "88-1.tflite"
    path.write_bytes(layers.build(x, turned))
    parts = (StreamPart(0, (0,), (1,)), core_part("88-1", path, (1,), (2,), "", None), StreamPart(1, (1, 2), (3,)))
    return Chain("88", 1000, parts, ((0, 0),), ((3, 0),), dict.fromkeys(range(4), 4))


def tables_of(folder: Path) -> Tables:
    return npu_tables(streams(), [chain(folder)], (ENDS[0], ENDS[1]), even_policy(1))


def test_no_part_meets_another_and_values_last(tmp_path: Path) -> None:
    one = chain(tmp_path)
    plan = planned(one, streams())
    assert set(plan.values) == {1, 2}, "what one part makes and another reads"
    assert all(at % LINE == 0 for at in (*plan.areas, *plan.values.values(), plan.size))
    area = {0: 96, 1: LINE, 2: 96}
    for value, parts in ((1, (0, 1, 2)), (2, (1, 2))):
        at = plan.values[value]
        for part in parts:
            assert at + LINE <= plan.areas[part] or plan.areas[part] + area[part] <= at
    assert planned(whole(0, two_streams().modes[0], 1), two_streams()).values == {}


def test_streams_are_the_first_kernel_and_are_found_in_their_order(tmp_path: Path) -> None:
    tables = tables_of(tmp_path)
    assert tables.records[0].kernel == ETHOS_U
    kinds = [tables.records[step.kernel].kernel.name.removeprefix("dimmer_") for step in tables.steps]
    assert kinds == [
        *("copy_s8", "ethos_u", "copy_s8", "copy_s8", "take_s8", "copy_s8", "copy_s8", "copy_s8"),
        *("ethos_u", "ethos_u_end"),
    ]
    assert streams_of(tables, 0) == [0, 1]
    assert all(c.index % 16 == 0 for c in tables.pool.constants if c.role in ("stream", "weights, scales"))


def test_the_rehearsal_knows_every_end(tmp_path: Path) -> None:
    values = {number: bytes([number] * 4) for number in range(4)}
    text = emit_rehearsal(tables_of(tmp_path), [chain(tmp_path)], streams(), [values])
    assert "{20u, 4u, rehearsed_0_2}," in text
    assert "{1, 2, 2, 3}, /* 88-2 */" in text


def test_a_mode_that_computes_nothing_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FirmwareGenError, match="mode 88 gives back its input"):
        npu_tables(streams(), [replace(chain(tmp_path), outputs=((0, 0),))], (ENDS[0], ENDS[1]), even_policy(1))


def test_the_runtime_runs_parts_and_tells_which_end_failed(tmp_path: Path) -> None:
    model = generate_npu(tables_of(tmp_path), "model", "ethos-u55-128", KnownAnswers(bytes(4), (bytes(4),)), tmp_path)
    assert model.kernels == ("dimmer_copy_s8", "dimmer_take_s8")
    sources = [*model.sources, *engine_sources(), *npu_sources(), *kernel_sources(model.kernels), PROGRAM]
    command = ["gcc", "-std=c99", *WARNINGS, f"-I{tmp_path}", f"-I{INCLUDE}", *map(str, sources)]
    subprocess.run([*command, "-o", str(tmp_path / "chain")], check=True)
    for fails in "012":
        done = subprocess.run([tmp_path / "chain", fails], capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
