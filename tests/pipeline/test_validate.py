# SPDX-License-Identifier: Apache-2.0
"""A board on a serial port against the interpreter: its twin stands behind a pseudo terminal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.graph.micro import Reference
from dimmer.pipeline import validate
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.oracle.micro import PYTHON
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.pipeline.validate import print_validated
from dimmer.pipeline.verification import attached as attached_module
from dimmer.pipeline.verification.attached import ValidatedMode
from dimmer.pipeline.verification.attached import validate as validate_modes
from dimmer.targets import Target, TargetError, load_target
from dimmer.targets.runners.command import TWIN
from dimmer.targets.runners.image import image_of
from tests.firmware_gen.modes import MODES, write_modes
from tests.targets.test_boards import Image, image_of_the_run, spoilt, wrongly_answered
from tests.tiny import silent

BOARD = "nrf52840dk"


@contextmanager
def attached(image: Image) -> Iterator[str]:
    """The name of a terminal behind which the board runs."""
    with attached_elf(image.target, image.elf) as port:
        yield port


@contextmanager
def attached_elf(target: Target, elf: Path) -> Iterator[str]:
    """As `attached`, of any firmware."""
    words = [sys.executable, "-m", TWIN, str(target.folder / "target.toml"), str(elf), "pty"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as board:
        assert board.stdout is not None
        try:
            yield board.stdout.readline().strip()
        finally:
            board.kill()


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return image_of_the_run(BOARD, tmp_path_factory)


def files(folder: Path) -> list[Path]:
    return [mode.path for mode in write_modes(folder)]


@pytest.mark.board(BOARD)
def test_a_good_board_is_good(image: Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    modes = write_modes(tmp_path)
    with attached(image) as port:
        found = validate_modes(port, load_target(BOARD), modes, sample_inputs(modes[0].path, 1), silent)
    assert [(mode.name, mode.samples, mode.mismatches, mode.known) for mode in found] == [
        (name, 2, 0, True) for name in MODES
    ]
    # The twin has no clock.
    assert {mode.cycles for mode in found} == {None}
    print_validated(load_target(BOARD), found)
    assert "0 of 2" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.board(BOARD)
def test_a_single_wrong_byte_of_the_model_is_found(image: Image, tmp_path: Path) -> None:
    """By the board itself."""
    modes = write_modes(tmp_path)
    with (
        attached(spoilt(image, tmp_path, "weights", lambda size: size // 2)) as port,
        pytest.raises(TargetError, match=r"the model in flash is damaged \(CRC\)"),
    ):
        validate_modes(port, load_target(BOARD), modes, sample_inputs(modes[0].path, 1), silent)


@pytest.mark.board(BOARD)
def test_a_single_wrong_byte_of_the_flash_is_found_and_named(
    image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of code, tables and weights, whether an inference reads it or not."""
    modes = write_modes(tmp_path)
    monkeypatch.setattr(validate, "_subjects", lambda *_: (modes, sample_inputs(modes[0].path, 1)))
    memory = image.target.memory
    assert memory is not None
    right = image_of(image.elf, memory)
    # The last place that the program has: its initialised data, or padding.
    for place in (right.index(b"selftest"), len(right) - 1):
        wrong = with_bit(image, tmp_path, place)
        with (
            attached(wrong) as port,
            pytest.raises(DimmerError, match=rf"nrf52840dk's flash at {place:#010x} is not as the build's: flash it"),
        ):
            validate.main(port, BOARD, elf=image.elf)
    with attached(image) as port:
        validate.main(port, BOARD, elf=image.elf)
    assert f"{len(right):,} bytes of flash are as built" in capsys.readouterr().out


@pytest.mark.board(BOARD)
@pytest.mark.slow
def test_a_wrong_bit_anywhere_in_the_flash_is_found(image: Image, tmp_path: Path) -> None:
    """In 40 places from the first byte to the last, of which some let the board not even start."""
    memory = image.target.memory
    assert memory is not None
    right = image_of(image.elf, memory)
    modes = write_modes(tmp_path)
    for number in range(40):
        place = number * (len(right) - 1) // 39
        with attached(with_bit(image, tmp_path, place)) as port, pytest.raises(DimmerError):
            validate_modes(port, load_target(BOARD), modes, b"", silent, right)


def with_bit(image: Image, folder: Path, place: int) -> Image:
    """The image with one bit of its flash wrong."""
    from elftools.elf.elffile import ELFFile

    memory = image.target.memory
    assert memory is not None
    at = place + memory.flash.origin
    data = bytearray(image.elf.read_bytes())
    with image.elf.open("rb") as stream:
        (offset,) = (
            segment["p_offset"] + at - segment["p_paddr"]
            for segment in ELFFile(stream).iter_segments("PT_LOAD")
            if segment["p_paddr"] <= at < segment["p_paddr"] + segment["p_filesz"]
        )
    data[offset] ^= 0x10
    elf = folder / "wrong.elf"
    elf.write_bytes(data)
    return replace(image, elf=elf)


@pytest.mark.board(BOARD)
def test_a_single_wrong_byte_of_a_result_is_found(
    image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One byte of what the second mode makes of the second input is not as the interpreter's."""
    modes = write_modes(tmp_path)
    inputs = sample_inputs(modes[0].path, 1)
    monkeypatch.setattr(validate, "_subjects", lambda *_: (modes, inputs))

    def other(path: Path, given: bytes, **_options: object) -> bytes:
        right = bytearray(reference_outputs(path, given))
        if path == modes[1].path:
            right[len(right) // 2 + 3] ^= 1
        return bytes(right)

    monkeypatch.setattr(attached_module, "reference_outputs", other)
    with (
        attached(image) as port,
        pytest.raises(DimmerError, match=r"TFLite .* in 880, first at input 1: flash"),
    ):
        validate.main(port, BOARD)


@pytest.mark.board(BOARD)
def test_a_wrong_known_answer_is_found(image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = write_modes(tmp_path)
    monkeypatch.setattr(validate, "_subjects", lambda *_: (modes, sample_inputs(modes[0].path, 1)))
    with (
        attached(wrongly_answered(image, tmp_path)) as port,
        pytest.raises(DimmerError, match=r"nrf52840dk differs from the TFLite interpreter in 880: flash it again"),
    ):
        validate.main(port, BOARD)


@pytest.mark.slow
@pytest.mark.board(BOARD)
def test_another_board_and_another_model_are_told(image: Image, tmp_path: Path) -> None:
    modes = write_modes(tmp_path)
    with attached(image) as port, pytest.raises(DimmerError, match=r"has a nrf52840dk, not a pico: name it with --tar"):
        validate_modes(port, load_target("pico"), modes, b"", silent)
    with (
        attached(image) as port,
        pytest.raises(DimmerError, match="has the modes 888, 880, 800, the build 888"),
    ):
        validate.main(port, BOARD, tflite=files(tmp_path)[:1])


def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="cannot be opened"):
        validate.main(str(tmp_path / "port"), BOARD, tflite=files(tmp_path)[:1])
    with pytest.raises(DimmerError, match="mps2-an386 is no board with a serial line"):
        validate.main("x", "mps2-an386")


def test_the_table_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    print_validated(load_target(BOARD), [ValidatedMode("88", 9, 2, 4, False, 64_000, 1000, 700)])
    said = capsys.readouterr().out
    assert all(part in said for part in ("WRONG", "2 of 9", "64,000", "1.0", "700"))


def test_what_to_compare_with_is_told_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DimmerError, match=r"^--reference goes with --tflite; leave it out for the model of a recipe$"):
        validate.main("/no/port", BOARD, reference=Reference.TFLM)
    monkeypatch.setenv(PYTHON, "/no/such/python")
    with pytest.raises(DimmerError, match="/no/such/python is no program"):
        validate.main("/no/port", BOARD, tflite=[tmp_path / "none.tflite"], reference=Reference.TFLM)
