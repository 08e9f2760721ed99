# SPDX-License-Identifier: Apache-2.0
"""Modes in parts: streams in the model of the NPU, the rest in the C engine, against the interpreter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.conversion.npu.parts import Compiled, compile_mode
from dimmer.pipeline.image.npu.make import compiled_firmware, generated, rehearse, relinked_modes
from dimmer.pipeline.image.order import Order, foreign_order
from dimmer.pipeline.verification.npu.chain import ShippedMode, chain_outputs, on_engines
from dimmer.pipeline.verification.npu.shipped import shipped_modes
from dimmer.pipeline.verification.npu.verify import compare, refuse_other_work
from dimmer.targets import load_target
from tests.firmware_gen.npu.test_compare import with_word
from tests.npu import NPU, WITHOUT_VELA, mixed
from tests.tiny import silent

TARGET = "ethos-u55-128"
pytestmark = [WITHOUT_VELA, pytest.mark.slow, pytest.mark.board(TARGET)]


@dataclass(frozen=True)
class Firmware:
    folder: Path
    order: Order
    modes: tuple[Compiled, ...]
    shipped: tuple[ShippedMode, ...]


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Firmware:
    """Two modes, each of three streams with the core between them."""
    folder, target = tmp_path_factory.mktemp("chain"), load_target(TARGET)
    for name, block in (("88", True), ("80", False)):
        (folder / f"{name}.tflite").write_bytes(mixed(block))
    order = foreign_order([folder / "88.tflite", folder / "80.tflite"], 0, "net")
    modes = tuple(compile_mode(mode.name, mode.path, NPU, folder) for mode in order.modes)
    graphs = [read_tflite(mode.path) for mode in order.modes]
    relinked = relinked_modes(modes, graphs)
    model = generated(relinked, modes, order, [2000, 1000], graphs[0], target, folder)
    elf = compiled_firmware(model, target, folder)
    rehearse(target, elf, ["88", "80"], folder)
    streams = shipped_modes(elf, "net", [mode.streams for mode in modes])
    refuse_other_work(order.modes, [mode.streams for mode in modes], streams)
    shipped = tuple(
        ShippedMode(mode.name, found, mode.parts, mode.inputs, mode.outputs)
        for mode, found in zip(modes, streams, strict=True)
    )
    return Firmware(folder, order, modes, shipped)


def test_a_hundred_inputs_of_every_mode_are_exact(firmware: Firmware) -> None:
    inputs = np.random.default_rng(1).integers(0, 256, (100, 12 * 12 * 3), dtype=np.uint8)
    run_core = on_engines(load_target("host"), load_target(TARGET))
    found = compare(firmware.order.modes, firmware.shipped, inputs, silent, folder=firmware.folder, run_core=run_core)
    assert [(one.samples, one.mismatches) for one in found] == [(100, 0), (100, 0)]


def test_every_changed_word_of_every_stream_is_found(firmware: Firmware) -> None:
    mode, compiled = firmware.shipped[0], firmware.modes[0].streams
    for number, stream in enumerate(mode.streams):
        for at in range(len(stream.payload.stream)):
            changed = list(mode.streams)
            changed[number] = with_word(stream, at, stream.payload.stream[at] ^ 1 << at % 32)
            with pytest.raises(DimmerError, match=f"88-{2 * number}: the command stream in the firmware is not Vela's"):
                refuse_other_work(firmware.order.modes[:1], [compiled], [tuple(changed)])


def test_another_part_of_the_core_is_found(firmware: Firmware) -> None:
    inputs = np.random.default_rng(2).integers(0, 256, (4, 12 * 12 * 3), dtype=np.uint8)
    mode, file = firmware.shipped[1], firmware.order.modes[1].path

    def wrong(
        path: Path, given: np.ndarray[tuple[int, int], np.dtype[np.uint8]]
    ) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
        return right(path, given) ^ np.uint8(8)

    right = on_engines(load_target("host"), load_target("host"))
    exact = chain_outputs(mode, file, inputs, firmware.folder, right)
    assert not np.array_equal(chain_outputs(mode, file, inputs, firmware.folder, wrong), exact)
    with pytest.raises(DimmerError, match="differs from the TFLite interpreter"):
        compare(firmware.order.modes[1:], [mode], inputs, silent, folder=firmware.folder, run_core=wrong)


def test_a_part_that_is_missing_is_told(firmware: Firmware) -> None:
    mode = replace(firmware.shipped[0], streams=firmware.shipped[0].streams[:1])
    with pytest.raises(DimmerError, match="88-2 has no stream"):
        chain_outputs(
            mode, firmware.order.modes[0].path, np.zeros((1, 432), np.uint8), firmware.folder, lambda _, given: given
        )
