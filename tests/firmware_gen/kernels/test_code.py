# SPDX-License-Identifier: Apache-2.0
"""How much flash the library's code takes."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from dimmer.firmware_gen.kernels.code import ENGINE, GATES, KERNELS, code_bytes
from dimmer.firmware_gen.kernels.families import KERNELS as ALL
from dimmer.firmware_gen.library import INCLUDE, sources
from dimmer.pipeline.image.compiled import compile_modes
from dimmer.pipeline.image.elf_shares import elf_shares
from dimmer.targets import Target, load_target
from dimmer.targets.kit.toolchain import LANGUAGE_FLAGS, compile_objects, section_sizes
from tests.pipeline.image.orders import modes_order


def test_every_kernel_has_its_size() -> None:
    assert set(KERNELS) == {kernel.name for kernel in ALL}


def test_what_two_kernels_share_counts_once() -> None:
    both = ["dimmer_conv2d_s8_dsp", "dimmer_conv2d_add_s8_dsp"]
    assert code_bytes(both) == ENGINE + KERNELS["dimmer_conv2d_add_s8_dsp"]
    for name in ("dimmer_conv2d_s8", "dimmer_conv2d_add_s8"):
        narrow, apart = f"{name}_narrow_dsp", f"{name}_apart_dsp"
        assert code_bytes([apart]) == ENGINE + KERNELS[apart]
        assert code_bytes([narrow, apart]) == code_bytes([apart, narrow]) == ENGINE + KERNELS[narrow]
    four = [f"dimmer_{conv}_s8_{kind}_dsp" for conv in ("conv2d", "conv2d_add") for kind in ("narrow", "apart")]
    assert code_bytes(four) == ENGINE + max(KERNELS[name] for name in four)
    assert code_bytes(both, gates=True) == code_bytes(both) + GATES


@pytest.mark.parametrize(
    "board",
    [pytest.param(name, marks=pytest.mark.board(name)) for name in ("mps2-an386", "mps3-an547", "riscv-virt")],
)
def test_what_is_told_is_about_what_is_compiled(board: str, tmp_path: Path) -> None:
    target, order = load_target(board), modes_order(tmp_path)
    compiled = compile_modes(order, order.modes, target, tmp_path / "out")
    runtime = {path.name for path in sources()}
    made = elf_shares(compiled.elf, runtime, compiled.model.symbol).runtime_code
    assert code_bytes(compiled.model.kernels) == pytest.approx(made, rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "board",
    [pytest.param(name, marks=pytest.mark.board(name)) for name in ("mps2-an386", "mps3-an547")],
)
def test_sizes_are_those_of_today(board: str, tmp_path: Path) -> None:
    """A failure tells what each would be."""
    target = load_target(board)
    command = [target.toolchain.compilers[0], *LANGUAGE_FLAGS, *target.toolchain.flags, f"-I{INCLUDE}"]
    objects = compile_objects(command, sources(), tmp_path, tmp_path)
    helium = board == "mps3-an547"
    found = {name: linked(target, name, objects) for name in KERNELS if name.endswith("_mve") == helium}
    assert found
    assert {name: size for name, size in found.items() if size != pytest.approx(KERNELS[name], rel=0.02, abs=16)} == {}


def linked(target: Target, name: str, objects: Sequence[Path]) -> int:
    """Bytes of a kernel with all that it calls but for what every firmware has of the C library."""
    elf = objects[0].parent / "kernel.elf"
    options = ["-nostartfiles", "--specs=nosys.specs", "-Wl,--gc-sections", f"-Wl,--entry={name}"]
    command = [target.toolchain.compilers[0], *target.toolchain.flags, *options, *map(str, objects), "-o", str(elf)]
    subprocess.run(command, check=True, capture_output=True)
    sizes = section_sizes(elf)
    return sizes.text - sum(sizes.by_symbol.get(symbol, 0) for symbol in ("memcpy", "memmove", "memset"))
