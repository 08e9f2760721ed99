# SPDX-License-Identifier: Apache-2.0
"""ed25519 keys that sign images: given as PEM files, never made here.

openssl genpkey -algorithm ed25519 -out key.pem
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.mcuboot import Opened
from dimmer.pipeline.core.extras import require_packages

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

DEMO_SEED = hashlib.sha256(b"dimmer: the key of the documentation, which everybody has").digest()
"""Of the key that the documentation shows and the tests use."""


@dataclass(frozen=True)
class Key:
    """A key that signs.

    Attributes:
        private: ed25519.
        key_hash: SHA-256 of its public key as SubjectPublicKeyInfo, by which MCUboot knows it.
        demo: whether everybody has it.
    """

    private: Ed25519PrivateKey
    key_hash: bytes
    demo: bool

    @property
    def public(self) -> bytes:
        """The 32 bytes that a device verifies with."""
        raw: bytes = self.private.public_key().public_bytes_raw()
        return raw

    def sign(self, digest: bytes) -> bytes:
        """64 bytes, the same ones every time."""
        signature: bytes = self.private.sign(digest)
        return signature


def _key_hash(public: Ed25519PublicKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


def _as_key(private: Ed25519PrivateKey) -> Key:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    demo = Ed25519PrivateKey.from_private_bytes(DEMO_SEED).public_key()
    found = _key_hash(private.public_key())
    return Key(private, found, found == _key_hash(demo))


def demo_key() -> Key:
    """The key of documentation and tests."""
    require_packages(["cryptography"], "sign")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return _as_key(Ed25519PrivateKey.from_private_bytes(DEMO_SEED))


def load_key(path: Path) -> Key:
    """A private key from a PEM file without a passphrase.

    Raises:
        DimmerError: there is no such file, or no ed25519 key in it.
    """
    require_packages(["cryptography"], "sign")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise DimmerError(f"{path} cannot be read ({error.strerror}): name the PEM file of an ed25519 key") from error
    except (ValueError, TypeError) as error:
        raise DimmerError(
            f"{path} holds no key that can be read without a passphrase: "
            f"openssl genpkey -algorithm ed25519 -out {path.name} makes one"
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise DimmerError(f"{path} holds another kind of key: openssl genpkey -algorithm ed25519 makes the right one")
    return _as_key(private)


def load_public(path: Path) -> bytes:
    """The 32 bytes of a public key from a PEM file, of its own or beside its private half.

    Raises:
        DimmerError: there is no such file, or no ed25519 key in it.
    """
    require_packages(["cryptography"], "sign")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        public = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise DimmerError(f"{path} cannot be read ({error.strerror}): name the PEM file of an ed25519 key") from error
    except (ValueError, TypeError):
        return load_key(path).public
    if not isinstance(public, Ed25519PublicKey):
        raise DimmerError(
            f"{path} holds another kind of key: 'openssl pkey -pubout' writes an ed25519 key's public half"
        )
    raw: bytes = public.public_bytes_raw()
    return raw


def keys_header(key: Key) -> str:
    """C of the key that a device trusts, for targets/board/verifier.c; the public half alone."""

    def initialiser(data: bytes) -> str:
        rows = (data[at : at + 8] for at in range(0, len(data), 8))
        return ",\n      ".join(", ".join(f"0x{byte:02X}" for byte in row) for row in rows)

    whose = "the documentation's key, which everybody has: for development alone" if key.demo else "yours"
    return f"""/* The key whose signatures a device takes ({whose}), by `dimmer slot --keys`. For a change of keys list
 * the new one beside the old one, until every device has a program that knows both. */
#ifndef DIMMER_TRUSTED_KEYS_H
#define DIMMER_TRUSTED_KEYS_H

#include "verifier.h"

static const verifier_key_t trusted_keys[] = {{
    {{{{{initialiser(key.key_hash)}}},
     {{{initialiser(key.public)}}}}},
}};

#endif
"""


def check(opened: Opened, public: bytes) -> None:
    """Compares an image's signature.

    Args:
        public: 32 bytes of an ed25519 public key.

    Raises:
        DimmerError: it is not signed, by another key, or the signature is wrong.
    """
    require_packages(["cryptography"], "sign")
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = Ed25519PublicKey.from_public_bytes(public)
    if not opened.signature:
        raise DimmerError("the image is not signed: sign it with --key")
    if opened.key_hash != _key_hash(key):
        raise DimmerError("the image is signed by another key than this one")
    try:
        key.verify(opened.signature, opened.digest)
    except InvalidSignature as error:
        raise DimmerError("the image's signature is wrong: it is forged or damaged") from error
