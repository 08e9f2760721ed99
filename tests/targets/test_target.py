# SPDX-License-Identifier: Apache-2.0
"""Compiling, running and measuring small programs on the host and on the emulated board."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from dimmer.targets import Target, TargetError, load_target
from dimmer.targets.kit.toolchain import Toolchain
from dimmer.targets.runners.command import Runner
from tests.boards import BOARD_PARAMS, EVERY_TARGET, SIMULATED_PARAMS

HELLO = """
#include <string.h>
#include "platform.h"

int answers[10] = {42};
int empty[100];

int main(int argc, char **argv)
{
    const char *words[4];
    int count = platform_arguments(argc, argv, words, 4);
    int i;

    for (i = 0; i < count; ++i) {
        platform_print(words[i], strlen(words[i]));
        platform_print("\\n", 1);
    }
    return answers[empty[0]] - 42;
}
"""


@pytest.fixture(params=[*EVERY_TARGET, *SIMULATED_PARAMS])
def target(request: pytest.FixtureRequest) -> Target:
    return load_target(request.param)


def build(target: Target, folder: Path, source: str) -> Path:
    path = folder / "program.c"
    path.write_text(source)
    return target.compile([path], [], folder / "out")


def test_arguments_arrive_and_the_exit_code_returns(target: Target, tmp_path: Path) -> None:
    elf = build(target, tmp_path, HELLO)
    result = target.run(elf, ["verify", "in.bin", "a,b"], tmp_path)
    assert result.stdout == "verify\nin.bin\na,b\n"
    assert result.returncode == 0
    assert target.run(elf, [], tmp_path).stdout == ""


def test_count_is_passed_on_where_there_is_a_counter(target: Target, tmp_path: Path) -> None:
    result = target.run(build(target, tmp_path, HELLO), ["bench"], tmp_path, count=True)
    assert result.stdout.split() == ["bench", "--count"] if target.counts_instructions else ["bench"]


def test_files_are_relative_to_the_folder(target: Target, tmp_path: Path) -> None:
    elf = build(
        target,
        tmp_path,
        """
        #include "platform.h"
        int main(void)
        {
            char data[8];
            int in = platform_open("in.bin", PLATFORM_READ);
            int out = platform_open("out.bin", PLATFORM_WRITE);
            size_t size = platform_read(in, data, sizeof data);
            size_t written = platform_write(out, data, size);
            return size != 5 || written != 5 || platform_close(in) || platform_close(out)
                   || platform_open("nowhere.bin", PLATFORM_READ) >= 0;
        }
        """,
    )
    (tmp_path / "in.bin").write_bytes(b"\x00lamp")
    assert target.run(elf, [], tmp_path).returncode == 0
    assert (tmp_path / "out.bin").read_bytes() == b"\x00lamp"


def test_sizes(target: Target, tmp_path: Path) -> None:
    sizes = target.size(build(target, tmp_path, HELLO))
    assert sizes.by_symbol["answers"] == 40
    assert sizes.by_symbol["empty"] == 400
    assert sizes.data >= 40
    assert sizes.bss >= 400
    assert sizes.text >= sizes.by_symbol["main"] > 0


@pytest.mark.parametrize("name", BOARD_PARAMS)
def test_the_board_has_hex_and_bin_beside_the_elf(name: str, tmp_path: Path) -> None:
    target = load_target(name)
    elf = build(target, tmp_path, HELLO)
    sizes = target.size(elf)
    assert elf.with_suffix(".bin").stat().st_size == sizes.text + sizes.rodata + sizes.data
    assert elf.with_suffix(".hex").read_text().startswith(":")
    assert not elf.with_name("firmware_weights.bin").exists()


WEIGHTS_APART = r"""
#include "platform.h"
#include "text.h"
#include "@text@"

__attribute__((section(DIMMER_WEIGHTS_SECTION))) static const union {
    int8_t bytes[5];
    int32_t alignment;
} weights = {{1, 2, 3, 4, 5}};

int main(void) {
    static text_t text;

    text_begin(&text, "weights");
    text_number(&text, "fifth", (uint32_t)*(const volatile int8_t *)&weights.bytes[4]);
    text_end(&text);
    return 0;
}
"""


@pytest.mark.board("mps3-an547")
def test_weights_in_a_region_of_their_own_have_a_file_of_their_own(tmp_path: Path) -> None:
    from elftools.elf.elffile import ELFFile

    target = load_target("mps3-an547")
    assert target.memory is not None
    assert target.memory.weights is not None
    elf = build(target, tmp_path, WEIGHTS_APART.replace("@text@", str(TEXT_SOURCE)))
    assert json.loads(target.run(elf, [], tmp_path).stdout)["fifth"] == 5
    apart = elf.with_name("firmware_weights.bin")
    assert apart.read_bytes() == bytes([1, 2, 3, 4, 5, 0, 0, 0])
    sizes = target.size(elf)
    assert elf.with_suffix(".bin").stat().st_size + 8 == sizes.text + sizes.rodata + sizes.data
    with elf.open("rb") as stream:
        starts = {segment["p_paddr"] for segment in ELFFile(stream).iter_segments() if segment["p_filesz"]}
    assert target.memory.weights.origin in starts


TEXT_SOURCE = Path(__file__).resolve().parents[2] / "targets" / "app" / "text.c"
COUNTED = r"""
#include "platform.h"
#include "text.h"
#include "@text@"

#if defined(__riscv)
#define DECREMENT "addi %0, %0, -1\n\tbnez %0, 1b"
#define COUNTER   "+r"
#else
#define DECREMENT "subs %0, #1\n\tbne 1b"
#define COUNTER   "+l"
#endif

/* One turn of the loop is 20 instructions on every core: 18 that do nothing, a subtraction and a branch. */
static uint32_t instructions_of(uint32_t turns)
{
    uint32_t start = platform_ticks();

    __asm__ volatile("1:\n\t.rept 18\n\tnop\n\t.endr\n\t" DECREMENT : COUNTER(turns) : : "cc");
    return platform_instructions(platform_ticks() - start);
}

int main(void)
{
    static text_t text;
    static const uint32_t turns[] = {1, 10, 1000, 100000, 1000000};
    unsigned i;

    platform_start_counter();
    for (i = 0; i < sizeof turns / sizeof turns[0]; ++i) {
        text_begin(&text, "count");
        text_number(&text, "turns", turns[i]);
        text_number(&text, "instructions", instructions_of(turns[i]));
        text_end(&text);
    }
    return 0;
}
"""


@pytest.mark.parametrize("name", BOARD_PARAMS)
def test_instruction_counts_are_exact_and_repeat(name: str, tmp_path: Path) -> None:
    """A loop of a known length takes what it must, but for the reading of the counter itself."""
    target = load_target(name)
    elf = build(target, tmp_path, COUNTED.replace("@text@", str(TEXT_SOURCE)))
    outputs = {target.run(elf, [], tmp_path, count=True).stdout for _ in range(3)}
    assert len(outputs) == 1
    for line in outputs.pop().splitlines():
        event = json.loads(line)
        assert 0 <= event["instructions"] - 20 * event["turns"] <= 10


@pytest.mark.parametrize("name", [*BOARD_PARAMS, *SIMULATED_PARAMS])
def test_the_program_lies_in_the_memory_of_the_target_file(name: str, tmp_path: Path) -> None:
    from elftools.elf.elffile import ELFFile

    target = load_target(name)
    assert target.memory is not None
    regions = (target.memory.flash, target.memory.ram)
    with build(target, tmp_path, HELLO).open("rb") as stream:
        segments = [s for s in ELFFile(stream).iter_segments() if s["p_type"] == "PT_LOAD" and s["p_memsz"]]
        assert {s["p_paddr"] for s in segments if s["p_filesz"]} >= {target.memory.flash.origin}
        for segment in segments:
            start = segment["p_vaddr"]
            assert any(r.origin <= start and start + segment["p_memsz"] <= r.origin + r.size for r in regions)


@pytest.mark.parametrize("name", [*BOARD_PARAMS, *SIMULATED_PARAMS])
def test_the_painted_stack_tells_its_depth(name: str, tmp_path: Path) -> None:
    target = load_target(name)
    elf = build(
        target,
        tmp_path,
        """
        #include "platform.h"
        int main(void)
        {
            volatile char deep[3000];
            uint32_t used;
            for (unsigned i = 0; i < sizeof deep; ++i) {
                deep[i] = 1;
            }
            used = platform_stack_used();
            return used < 3000 || used > 3100;
        }
        """,
    )
    assert target.run(elf, [], tmp_path).returncode == 0


@pytest.mark.board
def test_a_board_keeps_as_much_free_for_the_stack_as_its_file_says(tmp_path: Path) -> None:
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    target = load_target("mps2-an386")
    assert target.memory is not None
    found = {}
    for size in (None, 1024):
        board = dataclasses.replace(target, memory=dataclasses.replace(target.memory, stack=size))
        with build(board, tmp_path, HELLO).open("rb") as stream:
            table = ELFFile(stream).get_section_by_name(".symtab")
            assert isinstance(table, SymbolTableSection)
            places = {symbol.name: symbol["st_value"] for symbol in table.iter_symbols()}
        found[size] = places["dimmer_stack_top"] - places["dimmer_stack_limit"]
    assert found == {None: 16 << 10, 1024: 1024}


@pytest.mark.parametrize("name", [*BOARD_PARAMS, *SIMULATED_PARAMS])
def test_a_fault_is_an_error(name: str, tmp_path: Path) -> None:
    target = load_target(name)
    elf = build(target, tmp_path, "int main(void) { return *(volatile int *)0xFFFFFFF0; }")
    with pytest.raises(TargetError, match=r"firmware\.elf selftest ended in a fault handler"):
        target.run(elf, ["selftest"], tmp_path)


FAULTS = {
    # 0 is no instruction; a breakpoint that is no semihosting; a call of semihosting that nobody serves.
    "illegal": '__asm__ volatile(".word 0");',
    "breakpoint": '__asm__ volatile("ebreak");',
    "unserved": "(void)semihosting_call(0x99, 0);",
    "a store": "*(volatile int *)0x20000000 = 1;",
}


@pytest.mark.parametrize("name", SIMULATED_PARAMS)
@pytest.mark.parametrize("kind", FAULTS)
def test_a_simulated_core_ends_at_every_fault(name: str, kind: str, tmp_path: Path) -> None:
    target = load_target(name)
    source = f'#include "semihosting.h"\nint main(void) {{ {FAULTS[kind]} return 0; }}'
    with pytest.raises(TargetError, match=r"firmware\.elf selftest ended in a fault handler"):
        target.run(build(target, tmp_path, source), ["selftest"], tmp_path)


@pytest.mark.parametrize("name", SIMULATED_PARAMS)
@pytest.mark.parametrize("size", [0, 20, 51, 60, 5000])
def test_a_damaged_program_is_refused_by_the_testbench(name: str, size: int, tmp_path: Path) -> None:
    target = load_target(name)
    elf = build(target, tmp_path, HELLO)
    elf.write_bytes(elf.read_bytes()[:size])
    with pytest.raises(TargetError, match=r"ended with status 2: (the ELF file is cut short|.* is no 32-bit ELF file)"):
        target.run(elf, [], tmp_path)


@pytest.mark.board
def test_words_with_spaces_do_not_fit_through_semihosting(tmp_path: Path) -> None:
    target = load_target("mps2-an386")
    elf = build(target, tmp_path, HELLO)
    with pytest.raises(TargetError, match=r"cannot be passed to a board"):
        target.run(elf, ["verify", "my file", "out"], tmp_path)


def test_what_the_firmware_reports_becomes_the_message(target: Target, tmp_path: Path) -> None:
    elf = build(
        target,
        tmp_path,
        """
        #include "platform.h"
        int main(void)
        {
            static const char line[] = "{\\"event\\":\\"error\\",\\"message\\":\\"no \\\\\\"x\\\\\\"\\"}\\n";
            platform_print(line, sizeof line - 1);
            return 1;
        }
        """,
    )
    with pytest.raises(TargetError, match=r'firmware\.elf battery c\.csv: no "x"'):
        target.run(elf, ["battery", "c.csv"], tmp_path)


def test_a_program_that_does_not_end_is_ended(target: Target, tmp_path: Path) -> None:
    elf = build(target, tmp_path, 'int main(void) { for (;;) { __asm__ volatile(""); } }')
    hasty = dataclasses.replace(target, runner=dataclasses.replace(target.runner, timeout_s=0.5))
    with pytest.raises(TargetError, match=r"did not end within 0\.5 s"):
        hasty.run(elf, [], tmp_path)


def test_the_first_complaint_of_the_compiler_is_the_message(target: Target, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"failed: .*program.c:1.*error") as caught:
        build(target, tmp_path, "int main(void) { return lamp; }")
    assert "\n" not in str(caught.value)
    with pytest.raises(TargetError, match=r"undefined reference to .lamp"):
        build(target, tmp_path, "int lamp(void); int main(void) { return lamp(); }")


def test_a_crash_is_an_error(tmp_path: Path) -> None:
    target = load_target("host")
    elf = build(target, tmp_path, "#include <stdlib.h>\nint main(void) { abort(); }")
    with pytest.raises(TargetError, match=r"was killed by SIGABRT"):
        target.run(elf, [], tmp_path)


def test_missing_tools_are_named_with_their_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(TargetError, match=r"gcc not found: install it with 'sudo apt-get install gcc'"):
        build(load_target("host"), tmp_path, HELLO)
    board = load_target("mps2-an386")
    with pytest.raises(TargetError, match=r"arm-none-eabi-gcc not found: .* install gcc-arm-none-eabi'"):
        build(board, tmp_path, HELLO)
    with pytest.raises(TargetError, match=r"qemu-system-arm not found: .* install qemu-system-arm'"):
        board.run(tmp_path / "firmware.elf", [], tmp_path)


def test_a_missing_c_library_is_named_with_its_package(tmp_path: Path) -> None:
    target = load_target("host")
    packages = {"/nowhere/libc.a": "libnewlib-arm-none-eabi"}
    bare = dataclasses.replace(target, toolchain=dataclasses.replace(target.toolchain, packages=packages))
    with pytest.raises(TargetError, match=r"install libnewlib-arm-none-eabi"):
        build(bare, tmp_path, HELLO)


@pytest.mark.skipif(shutil.which("clang") is None, reason="needs clang")
def test_the_second_compiler_stands_in_for_the_first(tmp_path: Path) -> None:
    target = load_target("host")
    other = dataclasses.replace(target, toolchain=dataclasses.replace(target.toolchain, compilers=("no-cc", "clang")))
    assert other.run(build(other, tmp_path, HELLO), ["x"], tmp_path).stdout == "x\n"


def test_a_firmware_must_be_there(tmp_path: Path) -> None:
    target = load_target("host")
    with pytest.raises(TargetError, match=r"there is no firmware"):
        target.run(tmp_path / "firmware.elf", [], tmp_path)
    (tmp_path / "text.elf").write_text("lamp")
    with pytest.raises(TargetError, match=r"no ELF file"):
        target.size(tmp_path / "text.elf")


@pytest.mark.parametrize("kind", [Target, Toolchain, Runner])
def test_specifications_are_frozen(kind: type) -> None:
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
