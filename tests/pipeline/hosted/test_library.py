# SPDX-License-Identifier: Apache-2.0
"""The C functions of a compiled model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.library import INCLUDE
from dimmer.pipeline.hosted import kept
from dimmer.pipeline.hosted.generated import find_generated
from dimmer.pipeline.hosted.library import ALIGN, GATED, VERSION, Library
from dimmer.targets import load_target
from dimmer.targets.kit.toolchain import compile_library
from tests.pipeline.hosted.examples import modes_folder


def test_it_tells_about_the_model(tmp_path: Path) -> None:
    library = Library(kept.library_of(find_generated(modes_folder(tmp_path, gated=True))))
    assert (library.name, library.modes, library.positions) == ("blocks", ("888", "880", "800"), 5)
    assert (library.gated_blocks, library.tiers, library.level, library.mode) == (3, 2, 255, 0)
    assert (library.input.size, library.input.dtype, library.input.zero_point) == (300, "int8", 0)
    assert library.input.scale == 1 / 64
    library.mode = GATED
    assert library.mode == GATED
    with pytest.raises(DimmerError, match=r"^blocks: "):
        library.mode = 3


def test_a_damaged_library_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"no library")
    with pytest.raises(DimmerError, match=r"broken\.so cannot be loaded \(.*\): remove it and load the model again"):
        Library(broken)
    (tmp_path / "other.c").write_text('__attribute__((visibility("default"))) int other(void) { return 1; }\n')
    compile_library(load_target("host").toolchain, [tmp_path / "other.c"], [], tmp_path / "other.so")
    with pytest.raises(DimmerError, match=r"other\.so cannot be loaded"):
        Library(tmp_path / "other.so")


def test_numbers_are_those_of_the_headers() -> None:
    shim = kept.SHIM.read_text()
    header = (INCLUDE / "dimmer.h").read_text()
    assert f"#define LIBRARY_VERSION {VERSION}u" in shim
    assert f"#define DIMMER_ARENA_ALIGN {ALIGN}u" in header
    assert f"#define DIMMER_MODE_GATED {GATED}u" in header
    assert len(re.findall(r"^EXPORT ", shim, re.MULTILINE)) == 22
