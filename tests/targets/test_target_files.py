# SPDX-License-Identifier: Apache-2.0
"""target.toml: what is accepted, and what a mistake in one says."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.targets import TargetError, load_target, target_names
from dimmer.targets.target import read_target

GOOD = """
description = "a test"
core = "cortex-m4"

[memory]
flash = { origin = 0, size = 1024 }
ram = { origin = 0x20000000, size = 1024 }

[toolchain]
compilers = ["cc"]
flags = ["-O2"]
link_flags = []
sources = ["startup.c"]
formats = []

[runner]
command = ["run", "{elf}"]
timeout_s = 5

[planner]
scratch_limit = 4096

[energy]
board = "nucleo-l4r5zi"

[energy.wait_factor]
value = 1.1
plus_minus = 0.1
source = "modelled"
"""


RTL = """
[runner.rtl]
package = "lamp-core"
folder = "lamp_core"
files = "startup.c"
sources = []
"""


def read(folder: Path, text: str) -> None:
    (folder / "startup.c").touch()
    path = folder / "target.toml"
    path.write_text(text)
    read_target(path)


@pytest.mark.parametrize("name", target_names())
def test_every_target_of_the_project_loads(name: str) -> None:
    target = load_target(name)
    assert target.name == name
    assert target.tools
    assert target.scratch_limit >= 1024
    assert (target.memory is None) == (target.toolchain.linker_script is None)


def test_unknown_target_names_the_known_ones() -> None:
    with pytest.raises(TargetError, match=r"unknown target 'lamp': name one of .*host.*mps2-an386"):
        load_target("lamp")


@pytest.mark.parametrize("name", ["", "..", "app", "../targets/host", "host/"])
def test_only_names_of_folders_are_targets(name: str) -> None:
    with pytest.raises(TargetError, match=r"unknown target"):
        load_target(name)


def test_a_good_file_is_good(tmp_path: Path) -> None:
    read(tmp_path, GOOD)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('core = "cortex-m4"', "", "'core' is missing"),
        ('core = "cortex-m4"', "core = 4", "'core' is 4"),
        ('core = "cortex-m4"', 'core = "a"\nengine = "steam"', "'engine' is 'steam': give it one of tables, tvm"),
        ("timeout_s = 5", "timeout_s = 0", "'timeout_s' is 0"),
        ("timeout_s = 5", "timeout_s = true", "'timeout_s' is True"),
        ("timeout_s = 5", "timeout_s = inf", "'timeout_s' is inf"),
        ("scratch_limit = 4096", "scratch_limit = -1", "'scratch_limit' is -1"),
        ('flags = ["-O2"]', 'flags = "-O2"', "'flags' is '-O2'"),
        ('flags = ["-O2"]', "flags = [2]", "'flags' is .2."),
        ('flags = ["-O2"]', 'flags = ["-O2"]\nflag = 1', "toolchain: unknown key 'flag'"),
        ('compilers = ["cc"]', "compilers = []", "'compilers' is empty"),
        ('sources = ["startup.c"]', 'sources = ["start.c"]', "there is no file start.c"),
        ("formats = []", 'formats = ["elf"]', "'formats' has 'elf'"),
        ("formats = []", 'formats = ["hex"]', "'objcopy' is missing"),
        ('["run", "{elf}"]', '["run"]', "no {elf}"),
        ("timeout_s = 5", "timeout_s = 5\nsamples = 0", "'samples' is 0: give it at least 1"),
        ("timeout_s = 5", "timeout_s = 5\nsamples = true", "'samples' is True"),
        (
            '["run", "{elf}"]',
            '["{simulator}", "{elf}"]',
            "{simulator} where there is a table .runner.rtl., and only there",
        ),
        ("[planner]", "[runner.rtl]\n[planner]", "runner: rtl: 'package' is missing"),
        ("[planner]", RTL + "[planner]", "{simulator} where there is a table .runner.rtl., and only there"),
        ("[planner]", RTL.replace("startup.c", "no.f") + "[planner]", "there is no file no.f"),
        ("origin = 0, size = 1024", "origin = 0, size = 0", "memory: flash: the region is empty"),
        ("0x20000000", "0xFFFFFFFF", "memory: ram: the region is empty or goes beyond"),
        ("[memory]", "[memory]\nstack = -8", "memory: 'stack' is -8"),
        ("[memory]", "[memory]\nstack = 1001", "memory: 'stack' is 1001: give it a multiple of 8 bytes"),
        (
            "[memory]",
            "[memory]\nstack = 1024",
            "'stack' has no effect: the linker script does not use DIMMER_STACK_SIZE",
        ),
        (
            "[memory]",
            "[memory]\nweights = { origin = 0x90000000, size = 1024 }",
            "'weights' has no effect: the linker script does not use DIMMER_WEIGHTS_ORIGIN",
        ),
        ('source = "modelled"', "", "'source' is missing"),
        ("[planner]", "[planners]", "'planner' is missing"),
        ("[memory]", "[memory", "target.toml: "),
        ("[energy]", "[timing]\n[energy]", "timing: 'branch_refill' is missing"),
        ("[energy]", "[timing]\nbranch_refill = 99\n[energy]", "'branch_refill' is 99: give it at most 16"),
        (
            "[energy]",
            "[timing]\nbranch_refill = 2\nfetch_bytes = 0\n[energy]",
            "'fetch_bytes' is 0: give it at",
        ),
        ("[energy]", "[timing]\nbranch_refill = 2\ncache = 1\n[energy]", "timing: unknown key 'cache'"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(TargetError, match=message) as caught:
        read(tmp_path, GOOD.replace(old, new))
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)
