# SPDX-License-Identifier: Apache-2.0
"""Keys that sign images: given, never made; the one of the documentation is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.mcuboot import pack, read
from dimmer.pipeline.bundles.slots.signing import Key, check, demo_key, load_key
from tests.pipeline.artifacts.test_mcuboot import IMAGE

pytest.importorskip("cryptography", reason="needs pip install 'dimmer-nn[sign]'")


def key_file(folder: Path, seed: bytes = b"s" * 32) -> Path:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    path = folder / "key.pem"
    private = Ed25519PrivateKey.from_private_bytes(seed)
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def signed(key: Key) -> bytes:
    return pack(IMAGE, key.key_hash, key.sign)


def test_a_signature_repeats_and_is_checked(tmp_path: Path) -> None:
    key = load_key(key_file(tmp_path))
    assert not key.demo
    assert signed(key) == signed(key)
    opened = read(signed(key))
    check(opened, key.public)
    forged = bytearray(opened.signature)
    forged[3] ^= 1
    with pytest.raises(DimmerError, match="forged or damaged"):
        check(replace(opened, signature=bytes(forged)), key.public)
    with pytest.raises(DimmerError, match="signed by another key"):
        check(opened, demo_key().public)
    with pytest.raises(DimmerError, match="not signed"):
        check(read(pack(IMAGE)), key.public)


def test_the_demo_key_is_known_in_any_file(tmp_path: Path) -> None:
    from dimmer.pipeline.bundles.slots.signing import DEMO_SEED

    assert demo_key().demo
    assert load_key(key_file(tmp_path, DEMO_SEED)).demo


def test_what_is_no_key_is_one_line(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    other = tmp_path / "other.pem"
    private = generate_private_key(SECP256R1())
    other.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(DimmerError, match="another kind of key"):
        load_key(other)
    with pytest.raises(DimmerError, match="cannot be read"):
        load_key(tmp_path / "none.pem")
    other.write_text("no key")
    with pytest.raises(DimmerError, match="openssl genpkey"):
        load_key(other)
