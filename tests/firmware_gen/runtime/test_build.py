# SPDX-License-Identifier: Apache-2.0
"""The runtime compiles without a warning wherever it is meant to, and the README tells the truth."""

import re
from pathlib import Path

import pytest

from dimmer.firmware_gen.emit.names import names_of
from dimmer.firmware_gen.emit.stack import StackFigure, StackFigures, emit_stack_header
from dimmer.firmware_gen.kernels.header import declared
from dimmer.firmware_gen.kernels.record import Kernel
from dimmer.firmware_gen.library import RUNTIME, sources
from tests.firmware_gen.runtime.c_library import compile_c, output_of

# Those of a small residual network, and what goes with them.
RESNET = ["conv2d", "add", "average_pool_2d", "fully_connected", "softmax"]
SHARED = ["engine", "check", "invoke", "report", "crc", "policy", "reading", "dot", "dot_dsp", "dot_row"]
MOST_CODE = 9216
"""Bytes; 1.4 KB of them look whether model and state are whole."""


@pytest.mark.parametrize("name", [pytest.param("gcc", marks=pytest.mark.slow), "clang"])
def test_host_compilers_have_nothing_to_say(tmp_path: Path, name: str) -> None:
    # clang finds what it finds without optimising.
    compile_c(name, sources(), tmp_path / "all.so", "-shared", "-fPIC", *(["-O0"] if name == "clang" else []))


@pytest.mark.board
def test_nothing_changes_in_ram(objects: tuple[str, list[Path]]) -> None:
    for line in output_of("arm-none-eabi-size", *objects[1]).splitlines()[1:]:
        data, bss = map(int, line.split()[1:3])
        assert data == bss == 0, line


@pytest.mark.board
def test_a_residual_network_needs_little_code(objects: tuple[str, list[Path]]) -> None:
    needed = {f"dimmer_{name}_s8" for name in RESNET} | {*SHARED}
    files = [file for file in objects[1] if file.stem in needed]
    assert len(files) == len(needed)
    sizes = [int(line.split()[0]) for line in output_of("arm-none-eabi-size", *files).splitlines()[1:]]
    assert sum(sizes) <= MOST_CODE


@pytest.mark.board
def test_no_heap_no_console_and_float_only_where_the_name_says_so(objects: tuple[str, list[Path]]) -> None:
    helpers = r"__aeabi_(lmul|u?[il]divmod|u?idiv|lasr|llsl|llsr|mem\w+)|__gnu_thumb1_case_\w+"
    allowed = rf"U|mem(cpy|set|cmp|move)|dimmer_\w+|{helpers}"
    for file in objects[1]:
        for name in output_of("arm-none-eabi-nm", "-u", file).split():
            assert re.fullmatch(allowed, name) or "f32" in file.stem, f"{file.stem} calls {name}"


def test_the_example_of_the_readme_compiles(tmp_path: Path) -> None:
    blocks = re.findall(r"```c\n(.*?)```", (RUNTIME / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert blocks
    golden = Path(__file__).parent.parent / "golden"
    stack = emit_stack_header(names_of("lamp"), StackFigures((), (StackFigure("dimmer_invoke", 524),), 32, 108, 620))
    (tmp_path / "dimmer_lamp_stack.h").write_text(stack)
    for number, block in enumerate(blocks):
        source = tmp_path / f"example_{number}.c"
        source.write_text(block)
        compile_c("gcc", [source], tmp_path / f"example_{number}.o", "-c", f"-I{golden}", f"-I{tmp_path}")


def test_the_kernel_of_the_readme_is_declared_as_its_description_says() -> None:
    text = (RUNTIME / "README.md").read_text(encoding="utf-8")
    (description,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    found: dict[str, Kernel] = {}
    exec(description, found)
    assert "\n".join(declared(found["NEGATE"], set())) in text
