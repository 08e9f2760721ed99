# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from dimmer.pipeline.core.checks import InvalidKeyError
from dimmer.pipeline.networks.family import StageEntry, config_keys
from tests.pipeline.networks.families.test_adapted import config


def test_cost_and_entries_are_the_recipes() -> None:
    found = config()
    assert found.cost().blocks == ((4608, 4608), (4224, 4608))
    assert found.cost().fixed == 7320
    assert found.entries() == (StageEntry(4, 16), StageEntry(6, 16))


def test_base_alone_lacks_what_can_be_skipped() -> None:
    base = config().alone("base")
    assert base.blocks == ("one.0", "two.0")
    assert base.without == ("one.1", "two.1")
    assert base.skippable == (0, 0)
    assert config().alone("super").mandatory == (2, 2)
    with pytest.raises(InvalidKeyError, match="no wider twin"):
        config().widened((8, 8))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("bits", (8, 4)),
        ("source", "keras:resnet"),
        ("blocks", ("one.0",)),
        ("blocks", ("one.0", "one.0", "two.0", "two.1")),
        ("macs", (1, 2)),
        ("fixed_macs", -1),
        ("entry_pixels", (1,)),
    ],
)
def test_what_does_not_fit_is_refused_under_its_key(key: str, value: object) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        dataclasses.replace(config(), **{key: value})  # type: ignore[arg-type]
    assert caught.value.key == key


def test_files_count_from_the_recipe_and_their_contents_matter(tmp_path: Path) -> None:
    plain = dataclasses.replace(config(), weights="original.safetensors", source="mine.py:make")
    with pytest.raises(InvalidKeyError, match="there is no"):
        plain.at(tmp_path)
    (tmp_path / "mine.py").write_text("1")
    (tmp_path / "original.safetensors").write_text("2")
    found = plain.at(tmp_path)
    before = found.contents()
    assert set(before) == {"source", "weights"}
    (tmp_path / "mine.py").write_text("other")
    assert found.contents()["source"] != before["source"]
    assert "folder" not in config_keys("adapted")
