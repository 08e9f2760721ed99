# SPDX-License-Identifier: Apache-2.0
"""Images as MCUboot has them: what is written is read, and imgtool says the same."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.mcuboot import GRANULE, HEADER_SIZE, Image, Version, pack, read, version_of

ROOT = Path(__file__).resolve().parents[3]
IMGTOOL = ROOT / "build" / "image-tools" / "bin" / "imgtool"
IMAGE = Image(bytes(range(256)) * 5, 0x0808_0000, Version(1, 2, 3, 4), 7, "mnist5k-r14")


def test_what_is_written_is_read() -> None:
    made = pack(IMAGE, b"k" * 32, lambda digest: digest * 2)
    assert len(made) % GRANULE == 0
    opened = read(made)
    assert opened.image == IMAGE
    assert (opened.key_hash, opened.signature) == (b"k" * 32, opened.digest * 2)
    assert opened.unknown == {}
    assert read(pack(replace(IMAGE, development=True))).image.development
    assert made[HEADER_SIZE : HEADER_SIZE + 1280] == IMAGE.payload


def test_the_same_image_has_the_same_bytes() -> None:
    assert pack(IMAGE) == pack(IMAGE)


def test_every_flip_before_the_signature_is_found() -> None:
    made = pack(IMAGE)
    for at in (0, 5, 9, 13, 20, 300, HEADER_SIZE + 1279, HEADER_SIZE + 1290, len(made) - 40):
        bad = bytearray(made)
        bad[at] ^= 0x10
        with pytest.raises(DimmerError, match=r"damaged|truncated|no image"):
            read(bytes(bad))


@pytest.mark.parametrize("size", [0, 10, 31, 600, HEADER_SIZE + 1280, HEADER_SIZE + 1300])
def test_a_truncated_image_is_one_line(size: int) -> None:
    with pytest.raises(DimmerError, match=r"truncated|no image"):
        read(pack(IMAGE)[:size])


def test_versions() -> None:
    assert version_of("1.2.3+4") == Version(1, 2, 3, 4)
    assert str(version_of("1.2.3")) == "1.2.3+0"
    assert version_of("1.10.0") > version_of("1.9.9")
    for text in ("1", "1.2", "256.0.0", "1.2.3+x", "", "1.2.65536"):
        with pytest.raises(DimmerError, match=r"write it as 1\.2\.3"):
            version_of(text)


def test_imgtool_takes_it(tmp_path: Path) -> None:
    if not IMGTOOL.is_file():
        pytest.skip("needs imgtool in build/image-tools: python -m venv build/image-tools; its pip install imgtool")
    whole = tmp_path / "whole.img"
    whole.write_bytes(pack(IMAGE))
    done = subprocess.run([IMGTOOL, "verify", whole], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Image version: 1.2.3+4" in done.stdout
    # The other way round.
    payload = tmp_path / "payload.bin"
    payload.write_bytes(IMAGE.payload)
    theirs = tmp_path / "theirs.img"
    words = ["--non-bootable", "--rom-fixed", "0x08080000", "--security-counter", "7", "--version", "1.2.3+4"]
    words += ["--header-size", "0x200", "--pad-header", "--align", "4", "--slot-size", "0x40000"]
    words += ["--custom-tlv", "0x00A1", "mnist5k-r14", str(payload), str(theirs)]
    done = subprocess.run([IMGTOOL, "sign", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert read(theirs.read_bytes()).image == IMAGE
