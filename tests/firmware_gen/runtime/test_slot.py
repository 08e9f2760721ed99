# SPDX-License-Identifier: Apache-2.0
"""Images in slots on a simulated flash: refused with their reason, and the power may fail at any write.

The bar, ten thousand losses: pytest -m slow tests/firmware_gen/runtime/test_slot.py
"""

from __future__ import annotations

import ctypes
import hashlib
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.library import engine_sources
from dimmer.pipeline.bundles.slots.signing import demo_key
from tests.firmware_gen.runtime.c_library import SANITIZED, compile_c

SOURCE = Path(__file__).with_name("slot_test.c")


def lose_power(program: Path, count: int, seed: int) -> tuple[int, int]:
    """How often the new model ran, and the old one."""
    done = subprocess.run([program, str(count), str(seed)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[:2000] + done.stderr[:2000]
    found = re.search(r"the new model ran (\d+) times, the old one (\d+)", done.stdout)
    assert found, done.stdout
    return int(found[1]), int(found[2])


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("slot") / "slot_test"
    return compile_c("gcc", [*engine_sources(), SOURCE], out, *SANITIZED)


def test_the_power_fails_at_every_write(program: Path) -> None:
    new, old = lose_power(program, 300, 1)
    assert new + old == 300
    assert min(new, old) > 30


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 7))
def test_ten_thousand_losses_of_power(program: Path, seed: int) -> None:
    assert sum(lose_power(program, 2000, seed)) == 2000


def test_the_demo_key_is_the_one_that_signs(library: ctypes.CDLL) -> None:
    pytest.importorskip("cryptography", reason="needs pip install 'dimmer-nn[sign]'")
    key_hash = demo_key().key_hash
    assert library.dimmer_is_demo_key(key_hash) == 1
    assert library.dimmer_is_demo_key(key_hash[::-1]) == 0


@pytest.mark.parametrize("size", [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000])
def test_sha256_is_that_of_python(library: ctypes.CDLL, size: int) -> None:
    data = np.random.default_rng(size).bytes(size)
    digest = ctypes.create_string_buffer(32)
    library.dimmer_sha256(data, ctypes.c_size_t(size), digest)
    assert digest.raw == hashlib.sha256(data).digest()
