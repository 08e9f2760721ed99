# SPDX-License-Identifier: Apache-2.0
"""Images of models, told about."""

from __future__ import annotations

import struct
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.tables import ABI
from dimmer.pipeline.artifacts.mcuboot import pack
from dimmer.pipeline.inspection.files import inspect_paths
from dimmer.pipeline.inspection.slots import BLOB_MAGIC, inspect_slot_image, is_slot_image
from dimmer.targets import load_target
from tests.pipeline.artifacts.test_mcuboot import IMAGE


def payload(abi: int = ABI) -> bytes:
    return struct.pack("<6I", BLOB_MAGIC, 40, abi, 1 << 24 | 11, 5000, 3) + bytes(100)


def _signed(signature: bytes, digest: bytes) -> bytes:
    del digest
    return signature


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
    assert (b"k" * 32).hex() in facts["signature"]
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


def test_a_signature_is_told_as_unchecked_until_it_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "model.img"
    image = replace(IMAGE, payload=payload())
    path.write_bytes(pack(image, b"k" * 32, lambda digest: bytes(64)))
    found = inspect_slot_image(path)
    assert dict(found.facts)["signature"] == (
        f"says ed25519 by the key {(b'k' * 32).hex()}; not checked, which --public KEY does"
    )
    for key_hash, signature in ((b"k" * 31, bytes(64)), (b"k" * 32, bytes(63)), (b"k" * 32, b"")):
        path.write_bytes(pack(image, key_hash, partial(_signed, signature)))
        (problem,) = inspect_slot_image(path).problems
        assert problem.endswith("another size than ed25519's: it is forged or damaged")
    path.write_bytes(pack(image))
    assert dict(inspect_slot_image(path).facts)["signature"] == "none"
    with pytest.raises(DimmerError, match=r"--public checks images for slots \(\.img\), of which none is named"):
        inspect_paths([tmp_path / "net.tflite"], load_target("host"), lambda opened: None)


def test_a_signature_is_checked_by_the_key_that_is_named(tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="needs pip install 'dimmer-nn[sign]'")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from dimmer.pipeline.bundles.slots.signing import DEMO_SEED, check, demo_key, load_public

    key, path, pem = demo_key(), tmp_path / "model.img", tmp_path / "public.pem"
    public = Ed25519PrivateKey.from_private_bytes(DEMO_SEED).public_key()
    pem.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    image, checked = replace(IMAGE, payload=payload()), partial(check, public=load_public(pem))
    path.write_bytes(pack(image, key.key_hash, key.sign))
    (found,) = inspect_paths([path], load_target("host"), checked).others
    assert dict(found.facts)["signature"] == f"ed25519 by the key {key.key_hash.hex()}, right"
    assert found.problems == ()
    for forged, reason in (
        (pack(image, key.key_hash, lambda digest: bytes(64)), "forged or damaged"),
        (pack(image, b"k" * 32, key.sign), "by another key"),
        (pack(image), "is not signed"),
    ):
        path.write_bytes(forged)
        (problem,) = inspect_slot_image(path, checked).problems
        assert reason in problem
