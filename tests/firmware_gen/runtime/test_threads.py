# SPDX-License-Identifier: Apache-2.0
"""Modes change from another thread without a race, where the language has atomics."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from dimmer.firmware_gen.generate import GeneratedModel, generate
from dimmer.firmware_gen.library import INCLUDE, sources
from tests.firmware_gen.modes import write_modes
from tests.firmware_gen.runtime.c_library import compiler

RACE = "ThreadSanitizer: data race"


def run_threads(tmp_path: Path, model: GeneratedModel, standard: str) -> subprocess.CompletedProcess[str]:
    """The program with the library in this language, watched."""
    folder = tmp_path / standard
    folder.mkdir()
    program = Path(__file__).with_name("threads_test.c")
    words = [compiler("gcc"), "-O1", "-g", "-fsanitize=thread", "-pthread", f"-I{INCLUDE}", f"-I{tmp_path / 'c'}"]
    library = [*sources(model.kernels), *model.sources]
    subprocess.run([*words, f"-std={standard}", "-c", *map(str, library)], cwd=folder, check=True)
    objects = sorted(map(str, folder.glob("*.o")))
    subprocess.run([*words, "-std=gnu11", str(program), *objects, "-o", str(folder / "threads")], check=True)
    # The sanitizer does not know every layout of memory that a random one may be.
    fixed = [shutil.which("setarch") or "", "-R"] if shutil.which("setarch") else []
    done = subprocess.run([*fixed, str(folder / "threads")], capture_output=True, text=True, check=False)
    if "unexpected memory mapping" in done.stderr or "failed to set personality" in done.stderr:
        pytest.skip("gcc's thread sanitizer does not run here: its memory is mapped otherwise")
    return done


@pytest.fixture
def model(tmp_path: Path) -> GeneratedModel:
    return generate(write_modes(tmp_path), tmp_path / "c")


@pytest.mark.parametrize("standard", ["c11", pytest.param("gnu17", marks=pytest.mark.slow)])
def test_no_race_with_atomics(tmp_path: Path, model: GeneratedModel, standard: str) -> None:
    done = run_threads(tmp_path, model, standard)
    assert RACE not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_sanitizer_would_tell(tmp_path: Path, model: GeneratedModel) -> None:
    """In C99 a byte is volatile and no more: this is what the test above is worth."""
    done = run_threads(tmp_path, model, "c99")
    assert RACE in done.stderr
    assert "dimmer_set_mode" in done.stderr
