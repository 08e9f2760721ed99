# SPDX-License-Identifier: Apache-2.0
"""The command that exports the published modes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import export
from dimmer.pipeline.artifacts.checkpoint import training_folder
from tests.tiny import TinyBuild, silent


@pytest.mark.xdist_group("tiny")
def test_every_published_mode_is_named_with_its_size(
    tiny_converted: TinyBuild, capsys: pytest.CaptureFixture[str]
) -> None:
    export.main(str(tiny_converted.recipe.path))
    lines = capsys.readouterr().out.splitlines()
    assert [Path(line.split()[0]).name for line in lines] == ["80.80.onnx", "88.80.onnx", "88.88.onnx"]
    for line in lines:
        path, size, _ = line.split()
        assert int(size.replace(",", "")) == Path(path).stat().st_size > 0


@pytest.mark.xdist_group("tiny")
def test_without_a_calibration_the_stage_says_what_is_missing(tiny: TinyBuild, tmp_path: Path) -> None:
    shutil.copytree(training_folder(tiny.build), training_folder(tmp_path))
    with pytest.raises(DimmerError, match=r"stage 'export': .*calibration\.json is missing; first type '.*calibrate"):
        export.run(tiny.recipe, tmp_path, silent)
