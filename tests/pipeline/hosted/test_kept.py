# SPDX-License-Identifier: Apache-2.0
"""What is compiled is kept by its contents."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.hosted import kept
from dimmer.pipeline.hosted.generated import find_generated
from dimmer.targets import TargetError
from tests.firmware_gen.networks import tiny_resnet
from tests.pipeline.hosted.examples import modes_folder


def test_a_library_is_made_once_for_the_same_contents(tmp_path: Path) -> None:
    build = modes_folder(tmp_path)
    first = kept.library_of(find_generated(build))
    made = first.stat().st_mtime_ns
    assert kept.library_of(find_generated(build)) == first
    assert first.stat().st_mtime_ns == made
    source = build / "host" / "firmware" / "dimmer_blocks.c"
    source.write_text(source.read_text() + "\n/* edited */\n")
    assert kept.library_of(find_generated(build)) != first
    # Nothing half-made is left.
    assert [path for path in first.parent.iterdir() if path.name.startswith(".")] == []


def test_c_that_does_not_compile_is_told(tmp_path: Path) -> None:
    build = modes_folder(tmp_path)
    header = build / "host" / "firmware" / "dimmer_blocks.h"
    header.write_text(header.read_text().replace("#if DIMMER_ABI !=", "#if 1000 + DIMMER_ABI !="))
    with pytest.raises(TargetError, match=r"^\w+ failed: .*generated for ABI \d+ of the Dimmer runtime"):
        kept.library_of(find_generated(build))


def test_programs_that_generate_at_the_same_time_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "tiny.tflite"
    path.write_bytes(tiny_resnet())
    with ThreadPoolExecutor(3) as pool:
        found = set(pool.map(lambda _number: kept.generated_from([path]), range(3)))
    assert len(found) == 1
    assert len(list((tmp_path / "cache" / "host").iterdir())) == 1


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path / "file"))
    with pytest.raises(
        DimmerError, match=r"cannot be written \(Not a directory\): name another folder in DIMMER_CACHE"
    ):
        kept.library_of(find_generated(modes_folder(tmp_path)))
