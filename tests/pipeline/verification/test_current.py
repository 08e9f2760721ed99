# SPDX-License-Identifier: Apache-2.0
"""A model that was trained again, or has other data, is not scored by its old C."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.checkpoint import CHECKPOINT, training_folder
from dimmer.pipeline.artifacts.converted import converted_folder
from dimmer.pipeline.artifacts.exported import exported_folder
from dimmer.pipeline.artifacts.firmware import firmware_folder
from dimmer.pipeline.core.stage import Stage
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.verification import current
from dimmer.pipeline.verification.current import check_current
from tests.tiny import TINY


def made(folder: Path, source: Path, contents: Mapping[str, str] | None = None) -> None:
    def action(out: Path) -> None:
        (out / "result").write_bytes(b"" if source.is_dir() else source.read_bytes())

    Stage(folder.name, folder, action, [source], contents=contents or {}).run()


def test_each_link_of_the_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lamp").mkdir()
    (tmp_path / "lamp" / "recipe.toml").write_text(TINY)
    recipe, build = load_recipe(tmp_path / "lamp"), tmp_path / "build" / "lamp"
    checkpoint, firmware = training_folder(build) / CHECKPOINT, firmware_folder(build, "host")
    monkeypatch.setattr(current, "dataset_hash", lambda _: "one")
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_text("first")
    made(exported_folder(build), checkpoint)
    made(converted_folder(build), exported_folder(build))
    with pytest.raises(DimmerError, match="firmware is not of the weights in"):
        check_current(recipe, build, firmware)
    made(firmware, converted_folder(build), {"data": "one"})
    check_current(recipe, build, firmware)
    monkeypatch.setattr(current, "dataset_hash", lambda _: "two")
    with pytest.raises(DimmerError, match=r"of other data or features than .*recipe\.toml has now: type dimmer build"):
        check_current(recipe, build, firmware)
    monkeypatch.setattr(current, "dataset_hash", lambda _: "one")
    checkpoint.write_text("second")
    line = r"firmware is not of the weights in .*checkpoint\.safetensors: type dimmer build --target host --model lamp"
    for folder, source in (
        (exported_folder(build), checkpoint),
        (converted_folder(build), exported_folder(build)),
        (firmware, converted_folder(build)),
    ):
        with pytest.raises(DimmerError, match=line):
            check_current(recipe, build, firmware)
        made(folder, source, {"data": "one"})
        # What the next one is made of is another content now.
        (folder / "more").write_text(source.name)
    check_current(recipe, build, firmware)
