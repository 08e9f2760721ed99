# SPDX-License-Identifier: Apache-2.0
"""What a family says, and a board in ten lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.targets import TargetError, load_target
from dimmer.targets.kit.family import family_names
from dimmer.targets.target import read_target

TEN_LINES = """\
description = "ST NUCLEO-G474RE"
core = "cortex-m4"
family = "cortex-m"
memory.flash = { origin = 0x08000000, size = 0x80000 }
memory.ram = { origin = 0x20000000, size = 0x20000 }
board.clock_hz = 16_000_000
board.uart = "stm32-isr"
board.uart_base = 0x40008000
board.setup = ["0x4002104C |= 1", "0x4002105C |= 1", "0x48000000 &= ~0xF0", "0x48000000 |= 0xA0",
    "0x48000020 |= 0xCC00", "0x4000800C = 35556", "0x40008000 = 0xD"]
"""


def board(folder: Path, text: str = TEN_LINES) -> Path:
    """A target in a folder outside the checkout."""
    own = folder / "nucleo-g474re"
    own.mkdir()
    (own / "target.toml").write_text(text)
    return own


def test_families_are_found() -> None:
    assert family_names() == ["cortex-m", "riscv"]


def test_a_board_is_ten_lines(tmp_path: Path) -> None:
    assert len(TEN_LINES.splitlines()) == 10
    target = load_target(str(board(tmp_path)))
    like = load_target("nucleo-l4r5zi")
    assert target.name == "nucleo-g474re"
    assert target.toolchain.sources == like.toolchain.sources
    assert target.runner.command == like.runner.command
    assert target.board is not None
    assert target.board.counter == "dwt"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"cortex-m"', '"cortex-n"', r"line 3: 'family' is 'cortex-n': give it one of cortex-m, riscv"),
        ('family = "cortex-m"\n', "", "'family' is missing: a board is one of cortex-m, riscv"),
        ('board.uart = "stm32-isr"\n', "", "board: 'uart' is missing"),
        ("board.uart_base = 0x40008000\n", "", "board: 'uart_base' is missing"),
        (
            '"stm32-isr"',
            '"registers"',
            "board: 'uart_ready' is missing: uart = \"registers\" needs uart_ready, uart_send",
        ),
        ("board.uart =", 'board.uart_send = "0x40008028"\nboard.uart =', "'uart_send' goes with uart = \"registers\""),
        ("board.uart =", 'board.start = "direct"\nboard.uart =', "'start' is 'direct': that is an ESP32-C3's"),
        ("board.uart =", 'board.start = "rp2040"\nboard.uart =', "'start' is 'rp2040': that chip has a cortex-m0plus"),
        (
            "board.uart =",
            "memory.constants = { origin = 0x90000000, size = 0x80000 }\nboard.uart =",
            "'constants' has no effect: the linker script does not use DIMMER_CONSTANTS_ORIGIN",
        ),
        (
            "board.uart =",
            "memory.weights = { origin = 0x90000000, size = 0x80000 }\nboard.uart =",
            r"'weights' is for targets without \[board\]: what writes a board writes one region",
        ),
        ('core = "cortex-m4"', 'core = "cortex-a9"', "no flags are known of the core cortex-a9"),
        ("board.clock_hz = 16_000_000\n", "", "board: 'clock_hz' is missing"),
        ("16_000_000", "16", "'clock_hz' is 16: give it the core's clock in Hz"),
        ('"stm32-isr"', '"rs232"', "'uart' is 'rs232': give it one of stm32-sr"),
        ("0x40008000\n", "0x40008001\n", "'uart_base' is 0x40008001: give it a multiple of 4"),
        ("|= 0xCC00", "+= 0xCC00", r"'setup' has '0x48000020 \+= 0xCC00': write it as '0x40021058 |= 0x1'"),
        ("0x48000020 |=", "0x48000021 |=", "registers have 32 bits, at multiples of 4, others are '0x40021058:16'"),
        ("0x48000020 |=", "0x48000021:16 |=", "registers have 16 bits, at multiples of 2"),
        ("0x48000020 |=", "0x48000021:8 |=", "registers have 8 bits, at multiples of 1"),
        ("0x48000020 |=", "0x48000020:24 |=", "write it as '0x40021058 |= 0x1'"),
        ("board.uart =", 'board.counter = "mcycle"\nboard.uart =', "'counter' is 'mcycle': cortex-m4 has dwt, or none"),
        ("cortex-m4", "cortex-m0plus", "'counter' is 'dwt': cortex-m0plus has no cycle counter there, take systick"),
        ("board.uart =", 'board.pin_high = "0x0 = 1"\nboard.uart =', "'pin_low' is missing: a pin that is driven"),
        ("board.uart =", 'board.extra_sources = ["no.c"]\nboard.uart =', "there is no file no.c"),
        ("board.uart =", "board.led = 3\nboard.uart =", "board: unknown key 'led'"),
        ("0x20000000", "0x08010000", "'ram' and 'flash' have addresses in common"),
        (
            "board.uart =",
            'runner.command = ["run", "{elf}", "{prot}"]\nboard.uart =',
            "'command' has {prot}: known are",
        ),
    ],
)
def test_a_mistake_names_its_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in TEN_LINES
    with pytest.raises(TargetError, match=message) as caught:
        read_target(board(tmp_path, TEN_LINES.replace(old, new)) / "target.toml")
    assert "\n" not in str(caught.value)


SERCOM = """\
description = "Arduino Zero"
core = "cortex-m0plus"
family = "cortex-m"
memory.flash = { origin = 0x0, size = 0x40000 }
memory.ram = { origin = 0x20000000, size = 0x8000 }
board.clock_hz = 8_000_000
board.counter = "systick"
board.uart = "registers"
board.uart_ready = "0x42001C18:8 ? 1"
board.uart_send = "0x42001C28:16"
board.uart_received = "0x42001C18:8 ? 4"
board.uart_receive = "0x42001C28:16"
board.setup = ["0x40000C02:16 = 0x4019", "0x40000C01:8 ! 0x80", "0x42001C00 = 0x40310006"]
"""


def test_a_port_of_any_kind_is_its_registers(tmp_path: Path) -> None:
    target = load_target(str(board(tmp_path, SERCOM)))
    assert target.board is not None
    defines = target.board.defines("zero")
    assert defines["DIMMER_UART_REGISTERS"] == "1"
    assert defines["DIMMER_UART_READY"] == "{0x42001c18u, 0x1u, WAIT | BYTE}"
    assert defines["DIMMER_UART_SEND"] == "{0x42001c28u, 0x0u, WRITE | HALF}"
    assert defines["DIMMER_BOARD_EVERY_ACCESS"] == "1"
    assert "{0x40000c01u, 0x80u, WAIT_CLEAR | BYTE}" in defines["DIMMER_BOARD_SETUP"]
    assert target.board.uart_base == 0x42001C28


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"0x42001C18:8 ? 1"',
            '"0x42001C18:8 = 1"',
            r"'uart_ready' is '0x42001C18:8 = 1': write it as '0x42000818:8 \? 1'",
        ),
        ('"0x42001C18:8 ? 4"', '"0x42001C18:8 ? 0"', "'uart_received' is"),
        ('uart_send = "0x42001C28:16"', 'uart_send = "0x42001C28 = 3"', "'uart_send' is '0x42001C28 = 3': write it as"),
        ('"0x42001C18:8 ? 4"', '"0x42001C28:16 ! 0x8000"', "'uart_received' is the register of 'uart_receive'"),
        ("board.uart =", "board.uart_base = 0x42001C00\nboard.uart =", "'uart_base' is 0x42001c00: uart = "),
    ],
)
def test_a_mistake_in_a_port_names_its_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in SERCOM
    with pytest.raises(TargetError, match=message):
        load_target(str(board(tmp_path, SERCOM.replace(old, new))))


FAST = """\
description = "ST NUCLEO-G474RE at 170 MHz"
variant_of = "nucleo-g474re"
core = "cortex-m4"
family = "cortex-m"
board.clock_hz = 170_000_000
board.uart = "stm32-isr"
board.uart_base = 0x40008000
board.setup = ["0x4000800C = 377778", "0x40008000 = 0xD"]
"""


def variant(folder: Path, text: str = FAST, name: str = "fast") -> Path:
    own = folder / name
    own.mkdir()
    (own / "target.toml").write_text(text)
    return own / "target.toml"


def test_a_variant_says_what_is_another(tmp_path: Path) -> None:
    base = read_target(board(tmp_path) / "target.toml")
    fast = read_target(variant(tmp_path))
    assert (fast.name, fast.variant_of, base.variant_of) == ("fast", "nucleo-g474re", None)
    assert (fast.memory, fast.toolchain) == (base.memory, base.toolchain)
    assert fast.board is not None
    assert (fast.board.clock_hz, len(fast.board.setup)) == (170_000_000, 2)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('= "nucleo-g474re"', '= "nucleo-g4"', r"line 2: 'variant_of' is 'nucleo-g4': give it a target of the folder"),
        (
            '= "nucleo-g474re"',
            '= "../nucleo-g474re"',
            r"'variant_of' is '../nucleo-g474re': give it .*, one of faster, nucleo-",
        ),
        ('= "nucleo-g474re"', "= 3", r"'variant_of' is 3: give it a target of the folder"),
        ('= "nucleo-g474re"', '= "faster"', r"'variant_of' is 'faster', itself a variant: name its board"),
    ],
)
def test_a_variant_of_nothing_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    board(tmp_path)
    variant(tmp_path, name="faster")
    with pytest.raises(TargetError, match=message):
        read_target(variant(tmp_path, FAST.replace(old, new)))
