# SPDX-License-Identifier: Apache-2.0
"""What a conversion leaves."""

import json
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.converted import (
    RESULT,
    Converted,
    ConvertedMode,
    converted_folder,
    mode_sources,
)
from tests.tiny import TinyBuild


def test_it_is_read_as_it_was_saved(tmp_path: Path) -> None:
    converted = Converted(
        ("stem", "0.0", "0.1", "head"), (ConvertedMode("80", "80.tflite", ("stem", "0.0.out", "0.0.out")),)
    )
    converted.save(tmp_path)
    assert Converted.load(tmp_path) == converted
    (source,) = mode_sources(tmp_path)
    assert (source.name, source.path, source.boundaries) == (
        "80",
        tmp_path / "80.tflite",
        ("stem", "0.0.out", "0.0.out"),
    )
    assert (tmp_path / RESULT).read_text().startswith('{\n "positions": [\n  "stem",')


@pytest.mark.parametrize("content", [None, "{}", '{"positions": [], "modes": [{"name": "80"}]}'])
def test_missing_and_damaged_files_have_a_way_out(tmp_path: Path, content: str | None) -> None:
    if content:
        (tmp_path / RESULT).write_text(content)
    with pytest.raises(DimmerError, match=r"modes\.json cannot be read \(.*\): remove .* and build again"):
        mode_sources(tmp_path)


@pytest.mark.xdist_group("tiny")
def test_modes_json_tells_positions_and_boundaries(tiny_converted: TinyBuild) -> None:
    contents = json.loads((converted_folder(tiny_converted.build) / "modes.json").read_text())
    assert contents["positions"] == ["stem", "0.0", "0.1", "1.0", "1.1", "head"]
    assert contents["modes"][-1]["boundaries"] == ["stem", "0.0.out", "0.0.out", "1.0.out", "1.0.out"]
