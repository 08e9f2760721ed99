# SPDX-License-Identifier: Apache-2.0
"""The command that converts the exported modes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import convert
from dimmer.pipeline.artifacts.converted import mode_sources
from tests.tiny import TinyBuild, silent


@pytest.mark.xdist_group("tiny")
def test_every_mode_is_named_with_its_size(tiny_converted: TinyBuild, capsys: pytest.CaptureFixture[str]) -> None:
    convert.main(str(tiny_converted.recipe.path))
    lines = capsys.readouterr().out.splitlines()
    sources = mode_sources(tiny_converted.build / "convert")
    assert {Path(line.split()[0]) for line in lines} == {source.path for source in sources}
    for line in lines:
        path, size, _ = line.split()
        assert int(size.replace(",", "")) == Path(path).stat().st_size > 0


@pytest.mark.xdist_group("tiny")
def test_without_exported_files_the_stage_says_what_is_missing(tiny: TinyBuild, tmp_path: Path) -> None:
    with pytest.raises(
        DimmerError, match=r"stage 'convert': .* is missing; first type 'python -m pipeline\.calibrate "
    ):
        convert.run(tiny.recipe, tmp_path, silent)
