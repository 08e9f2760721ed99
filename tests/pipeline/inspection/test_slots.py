# SPDX-License-Identifier: Apache-2.0
"""Images of models, told about."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.tables import ABI
from dimmer.pipeline.artifacts.mcuboot import pack
from dimmer.pipeline.inspection.slots import BLOB_MAGIC, inspect_slot_image, is_slot_image
from tests.pipeline.artifacts.test_mcuboot import IMAGE


def payload(abi: int = ABI) -> bytes:
    return struct.pack("<6I", BLOB_MAGIC, 40, abi, 1 << 24 | 11, 5000, 3) + bytes(100)


def test_an_image_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(pack(replace(IMAGE, payload=payload(), development=True), b"k" * 32, lambda digest: digest * 2))
    assert is_slot_image(path)
    found = inspect_slot_image(path)
    facts = dict(found.facts)
    assert facts["version"] == "1.2.3+4, security counter 7"
    assert facts["place"].endswith("for a slot at 0x08080000")
    assert facts["core"] == "Arm, features 0xb"
    assert facts["needs"] == "an arena of 5,000 bytes, program 3 or newer"
    assert facts["signature"].endswith((b"k" * 32).hex())
    assert "development" in facts["for"]
    assert found.problems == ()


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.img"
    path.write_bytes(pack(IMAGE))
    assert inspect_slot_image(path).problems == ("its payload is no model of Dimmer's: make it with dimmer slot",)
    path.write_bytes(pack(replace(IMAGE, payload=payload(ABI - 1))))
    assert inspect_slot_image(path).problems == (f"it is of ABI {ABI - 1}, this Dimmer has {ABI}: make it again",)
    path.write_bytes(pack(IMAGE)[:700])
    (problem,) = inspect_slot_image(path).problems
    assert "truncated" in problem
    with pytest.raises(DimmerError, match="cannot be read"):
        inspect_slot_image(tmp_path / "none.img")
    assert not is_slot_image(tmp_path / "none.bin")
