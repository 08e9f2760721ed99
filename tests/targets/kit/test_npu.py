# SPDX-License-Identifier: Apache-2.0
"""[npu] of a target.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.targets import TargetError, load_target, target_names
from dimmer.targets.target import read_target

OWN = Path(load_target("ethos-u55-128").folder, "target.toml").read_text().replace("../", "dimmer:")


def read(folder: Path, *changes: tuple[str, str]) -> None:
    text = OWN
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "target.toml"
    path.write_text(text)
    read_target(path)


def test_there_is_a_target_for_every_npu_that_is_promised() -> None:
    found = {name: load_target(name) for name in target_names() if name.startswith("ethos-")}
    assert {f"ethos-u55-{macs}" for macs in (32, 64, 128, 256)} | {"ethos-u65-256", "ethos-u65-512"} <= {*found}
    for name, target in found.items():
        assert target.npu is not None
        assert target.npu.accelerator == name
        assert target.npu.is_experimental == ("u85" in name) == ("experimental" in target.description)
        assert (target.distributions, target.extra) == (("ethos-u-vela",), "npu")


def test_a_board_s_own_configuration_and_driver(tmp_path: Path) -> None:
    for name in ("vela.ini", "driver.c"):
        (tmp_path / name).touch()
    more = 'config = "vela.ini"\nsources = ["driver.c"]\ninclude = ["."]\nmemory_mode = '
    read(tmp_path, ("memory_mode = ", more))
    npu = read_target(tmp_path / "target.toml").npu
    assert npu is not None
    assert (npu.config, npu.sources) == (str(tmp_path / "vela.ini"), (tmp_path / "driver.c",))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"ethos-u55-128"', '"ethos-u55-100"', "'accelerator' is 'ethos-u55-100': give it one of"),
        ('accelerator = "ethos-u55-128"', "", "'accelerator' is missing: give it one of ethos-u55-32"),
        ("system_config = ", 'config = "mine.ini"\nsystem_config = ', "there is no file mine.ini"),
        ("system_config = ", 'sources = ["mine.c"]\nsystem_config = ', "there is no .*mine.c"),
        ("system_config = ", 'strategy = "Cheap"\nsystem_config = ', "Performance, Size"),
        ('engine = "ethos-u"', 'engine = "tables"', "goes with engine"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(TargetError, match=said) as caught:
        read(tmp_path, (old, new))
    assert "\n" not in str(caught.value)


def test_an_engine_without_an_npu_is_refused(tmp_path: Path) -> None:
    start, end = OWN.index("[npu]"), OWN.index("[memory]")
    with pytest.raises(TargetError, match="goes with engine"):
        read(tmp_path, (OWN[start:end], ""))
