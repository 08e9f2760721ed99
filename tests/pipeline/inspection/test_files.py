# SPDX-License-Identifier: Apache-2.0
"""Which files a path stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.converted import Converted, ConvertedMode
from dimmer.pipeline.inspection.files import inspect_paths, model_sources
from dimmer.targets import load_target
from tests.firmware_gen.modes import write_modes


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """build/<model> after the conversion."""
    folder = tmp_path / "blocks" / "convert"
    folder.mkdir(parents=True)
    modes = tuple(ConvertedMode(m.name, m.path.name, m.boundaries) for m in write_modes(folder))
    Converted(("stem", "0", "1", "2", "head"), modes).save(folder)
    (tmp_path / "blocks" / "host" / "firmware").mkdir(parents=True)
    return tmp_path / "blocks"


def test_every_folder_of_a_build_will_do(build: Path) -> None:
    for folder in (build, build / "convert", build / "host", build / "host" / "firmware"):
        assert [source.name for source in model_sources(folder)] == ["888", "880", "800"]


def test_the_modes_of_a_build_meet_between_their_blocks(build: Path) -> None:
    found = inspect_paths([build], load_target("host"))
    assert found.together is not None
    assert found.together.refusals == ()
    assert found.together.plan is not None
    assert len(found.models) == len(found.together.plan.modes) == 3
    assert found.checkpoints == ()


def test_a_folder_without_modes_and_other_files_are_told(build: Path, tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"has no converted modes \(convert/modes\.json\): give build/<model>"):
        model_sources(tmp_path)
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(DimmerError, match=r"notes\.txt: name \.tflite or \.safetensors files, images"):
        inspect_paths([build, tmp_path / "notes.txt"], load_target("host"))


def test_other_files_are_told_by_name_and_content(tmp_path: Path) -> None:
    (tmp_path / "firmware.bin").write_bytes(bytes(16))
    (tmp_path / "x.cdx.json").write_text('{"bomFormat": "CycloneDX"}')
    (tmp_path / "lamp").mkdir()
    for name in ("manifest.json", "install.sh", "SHA256SUMS"):
        (tmp_path / "lamp" / name).write_text("{}" if name == "manifest.json" else "")
    paths = [tmp_path / name for name in ("firmware.bin", "x.cdx.json", "lamp")]
    found = inspect_paths(paths, load_target("host"))
    assert [other.kind for other in found.others] == ["plain image", "bill of materials", "bundle"]
    assert ("checked", "by its own contents alone: no bill of materials lies beside it") in found.others[0].facts
    with pytest.raises(DimmerError, match=r"name \.tflite or .safetensors files, images"):
        inspect_paths([Path(__file__)], load_target("host"))
