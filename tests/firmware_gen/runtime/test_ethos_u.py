# SPDX-License-Identifier: Apache-2.0
"""The engine for Ethos-U with a driver of the test's own: every way in which an inference can end."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.header import NOTHING
from dimmer.firmware_gen.emit.known_answers import KnownAnswers
from dimmer.firmware_gen.emit.meaning import Meaning
from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.graph.types import DType, Quantisation, Tensor
from dimmer.firmware_gen.library import INCLUDE, engine_sources, npu_sources
from dimmer.firmware_gen.npu.chain import whole
from dimmer.firmware_gen.npu.compiled import CompiledMode, End
from dimmer.firmware_gen.npu.emit import NpuModel, generate_npu, npu_tables
from dimmer.firmware_gen.npu.payload import Payload
from dimmer.firmware_gen.npu.relink import Relinked
from dimmer.firmware_gen.npu.scales import pack, packable, unpack
from dimmer.targets import TargetError, load_target
from tests.firmware_gen.harness import SANITIZE, WARNINGS

PROGRAM = Path(__file__).with_name("ethos_u_test.c")
SCENES = ("ok", "refused", "no_driver", "failed", "timeout", "unaligned", "switch", "brown_out")


SHIFT = 30


def scales() -> bytes:
    """Of 8 channels, each at an end of what can be packed."""
    found = [(bias, 1 << 30, SHIFT) for bias in (0, -1, (1 << 21) - 1, -1 << 21)]
    found += [(-3, 0x7FFFFFFF, SHIFT + 14), (1 << 20, 0x55555555, SHIFT + 7), (77, 0, 0), (-77, 0x40000001, SHIFT + 1)]
    return b"".join(
        bias.to_bytes(5, "little", signed=True) + scale.to_bytes(4, "little") + bytes([shift])
        for bias, scale, shift in found
    )


def two_streams() -> Relinked:
    """Two modes whose streams do nothing; the second has scales of its own."""
    blob = bytes(range(1, 65))
    head = Payload(0x100001, 0x1807, 0x10066001, (0xFFFF0000,))
    first = CompiledMode("88", head, blob, 0, 1, 80, (End(1, 0, 20),), (End(1, 48, 4),))
    stream = (0x10012, 0xFFFF0000)
    inputs, outputs = (End(1, 16, 20),), (End(1, 64, 4),)
    second = replace(first, name="80", payload=replace(head, stream=stream), inputs=inputs, outputs=outputs)
    second = replace(second, packed=pack(scales(), SHIFT), packed_shift=SHIFT)
    return Relinked(blob, (first, second), (), (0, 1), second.packed, (0, 0))


def model_of(folder: Path, classes: tuple[str, ...] = (), meaning: Meaning = NOTHING) -> NpuModel:
    tensors = [
        Tensor(name, (1, size), DType.INT8, Quantisation((0.5,), (3,)), None) for name, size in (("x", 20), ("y", 4))
    ]
    relinked = two_streams()
    chains = [whole(number, mode, 2000 - 1000 * number) for number, mode in enumerate(relinked.modes)]
    tables = npu_tables(relinked, chains, (tensors[0], tensors[1]), even_policy(2))
    answers = KnownAnswers(bytes(20), (bytes(4), bytes(4)))
    return generate_npu(tables, "model", "ethos-u55-128", answers, folder, classes=classes, meaning=meaning)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Under the sanitizers, as it is and with the driver that blocks."""
    folder = tmp_path_factory.mktemp("ethos_u")
    model = model_of(folder)
    assert packable(scales())
    assert unpack(pack(scales(), SHIFT), SHIFT) == scales()
    (folder / "scales.h").write_text(f"static const uint8_t scales[80] = {{{', '.join(map(str, scales()))}}};\n")
    made = []
    for name, more in (("polls", []), ("blocks", ["-DDIMMER_NPU_BLOCKS"])):
        sources = [*model.sources, *engine_sources(), *npu_sources(), PROGRAM]
        command = ["gcc", "-std=c99", *WARNINGS, *SANITIZE, *more, f"-I{folder}", f"-I{INCLUDE}"]
        subprocess.run([*command, *map(str, sources), "-o", str(folder / name)], check=True)
        made.append(folder / name)
    return made[0], made[1]


@pytest.mark.parametrize("scene", SCENES)
def test_every_end_of_an_inference_is_told(programs: tuple[Path, Path], scene: str) -> None:
    done = subprocess.run([programs[0], scene], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_driver_that_blocks_gives_the_same(programs: tuple[Path, Path]) -> None:
    done = subprocess.run([programs[1], "ok"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.board("mps3-an547")
def test_the_linker_names_what_a_board_lacks(tmp_path: Path) -> None:
    model = model_of(tmp_path)
    target = load_target("mps3-an547")
    main = tmp_path / "main.c"
    main.write_text(
        '#include "dimmer_ethos_u.h"\n#include "dimmer_model.h"\n'
        "static dimmer_t d;\nint main(void) { return dimmer_invoke(&d) + (int)dimmer_model.dims.arena_size; }\n"
    )
    with pytest.raises(TargetError, match=r"undefined reference to .(dimmer_board_|ethosu_)"):
        target.compile([*model.sources, *engine_sources(), *npu_sources(), main], [tmp_path, INCLUDE], tmp_path)
