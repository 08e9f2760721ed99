# SPDX-License-Identifier: Apache-2.0
"""Boards that one can hold in his hand: their images run in their twins, at their own addresses, as TFLite computes."""

from __future__ import annotations

import json
import re
import shutil
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dimmer.firmware_gen.emit.known_answers import KnownAnswers
from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.generate import GeneratedModel, generate
from dimmer.firmware_gen.library import INCLUDE, sources
from dimmer.pipeline.core.closure import ROOT
from dimmer.pipeline.image.protocol import VERIFY, Sizes, run_records
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.targets import APPLICATION, Target, TargetError, load_target
from dimmer.targets.runners.image import boot2_crc, image_of
from tests.boards import REAL_BOARDS
from tests.firmware_gen.modes import MODES, write_modes
from tests.targets.kit.test_family import SERCOM

SLOW = [pytest.param(name, marks=[pytest.mark.board(name), pytest.mark.slow]) for name in REAL_BOARDS]


@dataclass(frozen=True)
class Image:
    """A board's firmware of a small network with three modes."""

    target: Target
    model: GeneratedModel
    elf: Path
    files: tuple[Path, ...]


Built = Callable[[str], Image]


def build(name: str, folder: Path) -> Image:
    """Compiled for a board."""
    target = load_target(name)
    modes = write_modes(folder)
    both = sample_inputs(modes[0].path, 1)
    image = both[len(both) // 2 :]
    answers = KnownAnswers(image, tuple(reference_outputs(mode.path, image) for mode in modes))
    policy = even_policy(len(modes))
    model = generate(modes, folder, policy, answers, target.scratch_limit, "tiny", None, target.core)
    elf = target.compile([*model.sources, *sources(model.kernels), *APPLICATION], [folder, INCLUDE], folder / "out")
    return Image(target, model, elf, tuple(mode.path for mode in modes))


_IMAGES: dict[str, Image] = {}


def image_of_the_run(name: str, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """A board's image, which is made once for all tests."""
    if name not in _IMAGES:
        _IMAGES[name] = build(name, tmp_path_factory.mktemp(name))
    return _IMAGES[name]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Gives a board's image, as `image_of_the_run`."""
    return lambda name: image_of_the_run(name, tmp_path_factory)


def spoilt(image: Image, folder: Path, table: str, at: Callable[[int], int]) -> Image:
    """The image with one bit of one of its tables wrong; `at` gives the place of the byte of the table's size."""
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    elf = Path(shutil.copy(image.elf, folder))
    with image.elf.open("rb") as stream:
        file = ELFFile(stream)
        symbols = file.get_section_by_name(".symtab")
        assert isinstance(symbols, SymbolTableSection)
        (symbol,) = (s for s in symbols.iter_symbols() if s.name == f"dimmer_tiny_{table}")
        section = file.get_section(symbol["st_shndx"])
        place = section["sh_offset"] + symbol["st_value"] - section["sh_addr"] + at(symbol["st_size"])
    data = bytearray(elf.read_bytes())
    data[place] ^= 0x40
    elf.write_bytes(data)
    return replace(image, elf=elf)


def wrongly_answered(image: Image, folder: Path) -> Image:
    """The image with a wrong bit in what it knows of its second mode's answer."""
    return spoilt(image, folder, "known_outputs", lambda size: size // len(MODES))


def mismatches(image: Image, count: int) -> int:
    """Inferences of all modes, of so many inputs each, that are not what BUILTIN_REF says."""
    model = image.model
    inputs = sample_inputs(image.files[0], (count + 1) // 2)[: count * model.input_bytes]
    sizes = Sizes(model.input_bytes, model.output_bytes, model.positions)

    def record(number: int) -> bytes:
        mode, at = divmod(number, count)
        return bytes([mode]) * sizes.places + inputs[at * sizes.input : (at + 1) * sizes.input]

    rows = run_records(image.target, image.elf, VERIFY, sizes, count * len(image.files), record)
    expected = np.concatenate(
        [np.frombuffer(reference_outputs(file, inputs), np.uint8).reshape(count, -1) for file in image.files]
    )
    return int((rows[:, : sizes.output] != expected).any(1).sum())


def test_there_are_these_boards() -> None:
    assert [name for name in REAL_BOARDS if load_target(name).variant_of is None] == [
        "esp32c3",
        "nano33ble",
        "netduinoplus2",
        "nrf52840dk",
        "nucleo-f446re",
        "nucleo-h743zi",
        "nucleo-l4r5zi",
        "nucleo-u575zi-q",
        "pico",
        "pico2",
    ]


BY_DEFAULT = ("nrf52840dk", "esp32c3")
"""One of each instruction set."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.board(name), *([] if name in BY_DEFAULT else [pytest.mark.slow])])
        for name in REAL_BOARDS
    ],
)
def test_every_mode_is_what_the_interpreter_computes(name: str, built: Built, tmp_path: Path) -> None:
    image = built(name)
    assert mismatches(image, 2) == 0
    said = [json.loads(line) for line in image.target.run(image.elf, [], tmp_path).stdout.splitlines()]
    assert [(event["mode"], event["ok"]) for event in said] == [(mode, True) for mode in MODES]
    assert all(set(event) == {"event", "mode", "ok", "cycles", "microseconds", "stack"} for event in said)
    # No emulator has the board's clock.
    assert {event["cycles"] for event in said} == {None}
    assert all(200 < event["stack"] < 2000 for event in said)
    # What it reads of its own flash, as `dimmer validate` asks for it.
    assert image.target.memory is not None
    data = image_of(image.elf, image.target.memory)
    (line,) = image.target.run(image.elf, ["flash", "8", str(len(data) - 8)], tmp_path).stdout.splitlines()
    assert json.loads(line) == {"event": "flash", "crc": zlib.crc32(data[8:])}


@pytest.mark.parametrize("name", SLOW)
def test_a_hundred_inputs_of_every_mode(name: str, built: Built) -> None:
    assert mismatches(built(name), 100) == 0


@pytest.mark.board("nrf52840dk")
def test_a_wrong_known_answer_is_found(built: Built, tmp_path: Path) -> None:
    image = wrongly_answered(built("nrf52840dk"), tmp_path)
    done = image.target.run(image.elf, ["selftest"], tmp_path)
    assert [json.loads(line)["ok"] for line in done.stdout.splitlines()] == [True, False, True]
    assert done.returncode == 1


@pytest.mark.board("nrf52840dk")
def test_a_wrong_linker_region_ends_with_address_and_program_counter(built: Built, tmp_path: Path) -> None:
    """The program is linked for twice the RAM that the board has."""
    image = built("nrf52840dk")
    text = (image.target.folder / "target.toml").read_text()
    smaller = tmp_path / "less" / "target.toml"
    smaller.parent.mkdir()
    smaller.write_text(text.replace("size = 0x00040000", "size = 0x00020000"))
    with pytest.raises(TargetError, match=r"an access to 0x2003f[0-9a-f]{3}, where the board has nothing, from 0x0"):
        load_target(str(smaller)).run(image.elf, [], tmp_path)


def test_no_image_waits_for_a_debugger() -> None:
    """Semihosting is a breakpoint, at which a core without a debugger stays."""
    for name in REAL_BOARDS:
        target = load_target(name)
        assert not any("semihosting" in source.name for source in target.toolchain.sources)


@pytest.mark.board("pico")
def test_the_rom_of_the_pico_finds_boot2(built: Built) -> None:
    image = built("pico")
    assert image.target.memory is not None
    data = image_of(image.elf, image.target.memory)
    assert boot2_crc(data[:252]) == int.from_bytes(data[252:256], "little")
    assert int.from_bytes(data[0x104:0x108], "little") & ~1 in range(0x10000100, 0x10200000)


@pytest.mark.slow
@pytest.mark.board("pico2")
def test_the_image_of_the_pico_2_says_what_it_is(built: Built) -> None:
    image = built("pico2")
    assert image.target.memory is not None
    head = image_of(image.elf, image.target.memory)[:4096]
    block = b"".join(word.to_bytes(4, "little") for word in (0xFFFFDED3, 0x10210142, 0x1FF, 0, 0xAB123579))
    assert head.find(block) == 0x40


@pytest.mark.board("esp32c3")
def test_the_rom_of_the_esp32c3_starts_it_directly(built: Built) -> None:
    image = built("esp32c3")
    assert image.target.memory is not None
    assert image_of(image.elf, image.target.memory)[:8] == bytes.fromhex("1d04dbae") * 2


@pytest.mark.board("nucleo-h743zi")
def test_the_arena_of_the_h743_lies_in_axi_sram_and_the_stack_in_dtcm(built: Built) -> None:
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    with built("nucleo-h743zi").elf.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        places = {symbol.name: symbol["st_value"] for symbol in table.iter_symbols()}
    assert places["arena"] == 0x24000000
    assert places["dimmer_stack_top"] == 0x20020000


@pytest.mark.slow
@pytest.mark.board("nucleo-f446re")
def test_the_board_that_the_page_describes_runs(tmp_path: Path) -> None:
    """docs/boards.md, "A board of your own": the ten lines, in a folder outside the checkout."""
    (text,) = re.findall(r"^```toml\n(.*?)^```", (ROOT / "docs" / "boards.md").read_text(), re.DOTALL | re.MULTILINE)
    own = tmp_path / "nucleo-g474re"
    own.mkdir()
    (own / "target.toml").write_text(text)
    assert mismatches(build(str(own), tmp_path), 10) == 0


@pytest.mark.slow
@pytest.mark.board("pico")
def test_a_board_whose_port_is_named_by_its_registers_runs(tmp_path: Path) -> None:
    """A SAM D21 with its SERCOM, registers of 8 and 16 bits, and a wait until a bit is clear."""
    own = tmp_path / "zero"
    own.mkdir()
    (own / "target.toml").write_text(SERCOM.replace("board.clock", "memory.stack = 2048\nboard.clock"))
    assert mismatches(build(str(own), tmp_path), 10) == 0


def test_variants_differ_from_their_boards_in_the_clock_alone() -> None:
    """Another clock, other registers before the rest, other waits; the same memory, port, pins and ways to flash."""
    variants = [target for target in map(load_target, REAL_BOARDS) if target.variant_of is not None]
    assert len(variants) == 6
    for target in variants:
        base = load_target(str(target.variant_of))
        assert target.board is not None
        assert base.board is not None
        assert target.board.clock_hz > base.board.clock_hz
        named = (
            target.core,
            target.memory,
            target.toolchain,
            target.runner.command,
            target.scratch_limit,
            target.flash,
        )
        assert named == (base.core, base.memory, base.toolchain, base.runner.command, base.scratch_limit, base.flash)
        assert replace(target.board, clock_hz=0, setup=()) == replace(base.board, clock_hz=0, setup=())
        # Pins and the port's own registers are those of the board; only the divider of its baud rate may be another.
        other = {access.address for access in {*base.board.setup} ^ {*target.board.setup}}
        assert {access.address for access in base.board.setup} <= {access.address for access in target.board.setup}
        assert len([address for address in other if 0 <= address - base.board.uart_base < 0x1000]) <= 1


BUILT_IN = {
    "nrf52840dk": "nrf52840",
    "nano33ble": "nrf52840",
    "pico": "rp2040",
    "pico2": "rp2350",
    "nucleo-h743zi": "stm32h743xx",
}
PACKED = ("nucleo-l4r5zi", "nucleo-f446re", "nucleo-u575zi-q", "netduinoplus2")


@dataclass(frozen=True)
class Known:
    """A region as a flash tool knows it."""

    start: int
    size: int
    flash: bool


def covered(regions: list[Known], origin: int, size: int, flash: bool) -> int:
    """Bytes of a stretch that lie in regions of this kind."""
    inside = [r for r in regions if r.flash == flash and r.start < origin + size and origin < r.start + r.size]
    return sum(min(r.start + r.size, origin + size) - max(r.start, origin) for r in inside)


def regions_of_pyocd(regions: Iterable[Any]) -> list[Known]:
    return [Known(r.start, r.end + 1 - r.start, r.is_flash) for r in regions if r.is_flash or r.is_ram]


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_map_is_the_flash_tool_s_own(name: str) -> None:
    """pyOCD's, for the chips that it knows without a pack."""
    chips = pytest.importorskip("pyocd.target").TARGET
    memory = load_target(name).memory
    assert memory is not None
    regions = regions_of_pyocd(chips[BUILT_IN[name]].MEMORY_MAP)
    assert covered(regions, memory.flash.origin, memory.flash.size, True) == memory.flash.size
    # Of RP2350 it knows half of the RAM.
    ram = memory.ram.size // (2 if name == "pico2" else 1)
    assert covered(regions, memory.ram.origin, ram, False) == ram


@pytest.mark.parametrize("name", PACKED)
def test_the_map_is_that_of_the_chip_s_pack(name: str) -> None:
    """pyOCD's, for the chips of which it needs a pack."""
    packs = pytest.importorskip("pyocd.target.pack.pack_target").ManagedPacks
    target = load_target(name)
    assert target.flash.pyocd is not None
    assert target.memory is not None
    chip = target.flash.pyocd.chip
    devices = [one for one in packs.get_installed_targets() or () if one.part_number.lower() == chip]
    if not devices:
        pytest.skip(f"needs the pack of this chip: pyocd pack install {chip}")
    regions = regions_of_pyocd(devices[0].memory_map)
    for region, flash in ((target.memory.flash, True), (target.memory.ram, False)):
        assert covered(regions, region.origin, region.size, flash) == region.size


def test_the_map_of_the_esp32c3_is_esptool_s() -> None:
    rom = pytest.importorskip("esptool.targets.esp32c3", reason="needs pip install esptool").ESP32C3ROM
    kinds = {"IROM": True, "DROM": True, "DRAM": False}
    regions = [Known(start, end - start, kinds[kind]) for start, end, kind in rom.MEMORY_MAP if kind in kinds]
    memory = load_target("esp32c3").memory
    assert memory is not None
    assert memory.constants is not None
    for origin in (memory.flash.origin, memory.constants.origin):
        assert covered(regions, origin, memory.flash.size, True) == memory.flash.size
    assert covered(regions, memory.ram.origin, memory.ram.size, False) == memory.ram.size
