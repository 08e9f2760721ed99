# SPDX-License-Identifier: Apache-2.0
"""The device's verifier: it asks the library about the key that an image names, and about no other."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dimmer.pipeline.bundles.slots.signing import demo_key, keys_header
from dimmer.targets.target import TARGETS
from tests.firmware_gen.runtime.c_library import SANITIZED, compile_c

SOURCE = Path(__file__).with_name("verifier_test.c")
PLAIN_HEADER = """#include "verifier.h"
static const verifier_key_t trusted_keys[] = {{{1, 2, 3}, {4, 5, 6}}};
"""


def run(folder: Path, header: str) -> str:
    (folder / "keys.h").write_text(header)
    sources = [SOURCE, TARGETS / "board" / "verifier.c"]
    program = compile_c("gcc", sources, folder / "program", *SANITIZED, f"-I{folder}", f"-I{TARGETS / 'board'}")
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout


def test_only_a_key_that_is_known_is_asked_about(tmp_path: Path) -> None:
    assert "the key that is named" in run(tmp_path, PLAIN_HEADER)


def test_a_header_of_a_key_compiles(tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="needs pip install 'dimmer-nn[sign]'")
    header = keys_header(demo_key())
    assert "everybody has" in header
    assert "the key that is named" in run(tmp_path, header)
