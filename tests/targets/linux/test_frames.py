# SPDX-License-Identifier: Apache-2.0
"""Images and frames: each format gives the codes that numpy gives, and a damaged file is one readable line."""

from __future__ import annotations

import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.library import RUNTIME
from tests.targets.linux.c_program import compile_program

MAIN = """
#include <string.h>
#include "frames.h"

int main(int argc, char **argv) {
    const frame_shape_t shape = {4u, 5u, (uint32_t)(argv[1][0] - '0')};
    const frames_format_t format = strcmp(argv[2], "u8") == 0   ? FRAMES_U8
                                   : strcmp(argv[2], "i8") == 0 ? FRAMES_I8
                                   : strcmp(argv[2], "packed") == 0 ? FRAMES_PACKED
                                                                : FRAMES_AUTO;
    int8_t codes[60];
    char why[DIMMER_MESSAGE];
    frames_t frames;
    int found = -1;

    (void)argc;
    if (frames_open(&frames, argv[3], format, shape, why)) {
        while ((found = frames_next(&frames, codes, why)) == 1) {
            fwrite(codes, 1u, 20u * shape.channels, stdout);
        }
        if (frames.lost != 0u) {
            fprintf(stderr, "lost %lu\\n", (unsigned long)frames.lost);
        }
        frames_close(&frames);
    }
    if (found != 0) {
        fprintf(stderr, "%s\\n", why);
    }
    return found != 0;
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_program(MAIN, ["frames.c", str(RUNTIME / "src" / "crc.c")], tmp_path_factory.mktemp("frames"))


def pixels(count: int = 3, channels: int = 3) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(1).integers(0, 256, (count, 4, 5, channels), np.uint8)


def codes_of(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    return (image.astype(np.int16) - 128).astype(np.int8).tobytes()


def read(program: Path, name: Path | str, channels: int = 3, form: str = "auto", stdin: bytes = b"") -> bytes:
    command = [str(program), str(channels), form, str(name)]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refusal(program: Path, name: Path | str, channels: int = 3) -> str:
    command = [str(program), str(channels), "auto", str(name)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize("count", [1, 3])
def test_npy_of_pixels_and_of_codes(program: Path, tmp_path: Path, count: int) -> None:
    image = pixels(count)
    np.save(tmp_path / "u.npy", image)
    np.save(tmp_path / "i.npy", (image.astype(np.int16) - 128).astype(np.int8))
    assert read(program, tmp_path / "u.npy") == codes_of(image)
    assert read(program, tmp_path / "i.npy") == codes_of(image)
    np.save(tmp_path / "one.npy", image[0])
    assert read(program, tmp_path / "one.npy") == codes_of(image[:1])


def test_npy_with_a_long_header_of_version_2(program: Path, tmp_path: Path) -> None:
    with (tmp_path / "v2.npy").open("wb") as file:
        np.lib.format.write_array(file, pixels(), version=(2, 0))
    assert read(program, tmp_path / "v2.npy") == codes_of(pixels())


def test_netpbm_colour_and_grey_one_after_the_other(program: Path, tmp_path: Path) -> None:
    image = pixels()
    (tmp_path / "a.ppm").write_bytes(b"".join(b"P6\n# a comment 7 7\n5 4\n255\n" + i.tobytes() for i in image))
    assert read(program, tmp_path / "a.ppm") == codes_of(image)
    grey = pixels(channels=1)
    (tmp_path / "a.pgm").write_bytes(b"\n".join(b"P5 5 4 255 " + i.tobytes() for i in grey))
    assert read(program, tmp_path / "a.pgm", channels=1) == codes_of(grey)


def test_frames_without_a_header_from_a_file_and_from_standard_input(program: Path, tmp_path: Path) -> None:
    image = pixels()
    (tmp_path / "a.u8").write_bytes(image.tobytes())
    (tmp_path / "a.i8").write_bytes(codes_of(image))
    assert read(program, tmp_path / "a.u8") == read(program, tmp_path / "a.i8") == codes_of(image)
    assert read(program, "-", form="u8", stdin=image.tobytes()) == codes_of(image)
    assert read(program, "-", form="i8", stdin=codes_of(image)) == codes_of(image)
    assert read(program, "-", form="i8") == b""


def packed(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    """As docs/jetson.md has it."""
    pixels = image.tobytes()
    return b"DMF1" + struct.pack("<II", len(pixels), zlib.crc32(pixels)) + pixels


def test_a_writer_that_dies_costs_one_frame(program: Path) -> None:
    a, b, c = pixels()

    def through(stream: bytes) -> tuple[bytes, bytes]:
        done = subprocess.run([program, "3", "packed", "-"], input=stream, capture_output=True, check=True)
        return done.stdout, done.stderr

    assert through(packed(a) + packed(b) + packed(c)) == (codes_of(pixels()), b"")
    assert through(packed(a)[:40] + packed(b) + packed(c)) == (codes_of(pixels()[1:]), b"lost 40\n")
    assert through(packed(a) + packed(b)[:-1] + packed(c)) == (codes_of(pixels()[[0, 2]]), b"lost 71\n")
    assert through(b"DMF1DMF" + packed(a)) == (codes_of(a), b"lost 7\n")
    # One within the other, as two that write at once leave them.
    assert through(packed(a)[:30] + packed(b) + packed(a)[30:]) == (codes_of(b), b"lost 72\n")
    assert through(b"") == (b"", b"")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jpg", b"", "what is in it"),
        ("-", b"", "standard input: what is in it"),
        ("absent.u8", None, "cannot be opened"),
        ("a.u8", bytes(61), "ends within a frame, which has 60 bytes"),
        ("a.npy", b"\x93NUMP", "is no .npy file"),
        ("a.npy", b"\x93NUMPY\x01\x00\x80\x00{'descr'", "ends within its header"),
        ("a.npy", b"\x93NUMPY\x01\x00\x02\x00{}", "holds no int8 or uint8[N,4,5,3]"),
        ("a.ppm", b"P6 5 5 255 " + bytes(75), "is no binary P6 of 5 x 4 pixels"),
        ("a.ppm", b"P3 5 4 255 " + bytes(60), "is no binary P6"),
        ("a.ppm", b"P6 5 4 65535 " + bytes(120), "is no binary P6"),
        ("a.ppm", b"P6 5 4 255 " + bytes(59), "ends within a frame"),
        ("a.ppm", b"P6 99999999999999999999 4 255 ", "is no binary P6"),
    ],
)
def test_what_cannot_be_read_says_why(
    program: Path, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    path = name if name == "-" else tmp_path / name
    if content is not None and isinstance(path, Path):
        path.write_bytes(content)
    assert message in refusal(program, path)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((1, 4, 5, 3), np.float32),
        np.zeros((0, 4, 5, 3), np.uint8),
        np.zeros((1, 3, 4, 5), np.uint8),
        np.zeros((1, 1, 4, 5, 3), np.uint8),
        np.asfortranarray(np.zeros((2, 4, 5, 3), np.uint8)),
    ],
    ids=["float", "empty", "NCHW", "rank 5", "Fortran"],
)
def test_npy_of_another_kind_is_refused(
    program: Path, tmp_path: Path, array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]
) -> None:
    np.save(tmp_path / "a.npy", array)
    assert "holds no int8 or uint8[N,4,5,3]" in refusal(program, tmp_path / "a.npy")


@pytest.mark.parametrize("kind", ["u8", "i8", "packed"])
def test_what_cannot_be_read_is_not_at_its_end(program: Path, tmp_path: Path, kind: str) -> None:
    done = subprocess.run([program, "3", kind, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{tmp_path} cannot be read (Is a directory): check the path and the medium" in done.stderr


@pytest.mark.parametrize("name", ["folder.ppm", "folder.npy"])
def test_a_folder_is_no_picture(program: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    done = subprocess.run([program, "3", "auto", tmp_path / name], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{name} cannot be read (Is a directory)" in done.stderr


def test_npy_that_was_cut_short(program: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", pixels())
    whole = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(whole[:-1])
    assert "ends within a frame" in refusal(program, tmp_path / "a.npy")
