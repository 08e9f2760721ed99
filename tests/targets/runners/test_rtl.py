# SPDX-License-Identifier: Apache-2.0
"""Simulators of cores: built once, kept, and what goes wrong told in a line. A shell script stands in for Verilator."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.targets.kit.errors import TargetError
from dimmer.targets.runners import rtl as module
from dimmer.targets.runners.command import Runner, run_firmware
from dimmer.targets.runners.rtl import Rtl, find_sources, package_folder, simulator, simulator_key

VERILATOR = """#!/bin/sh
if [ "$1" = --version ]; then echo "Verilator $(cat {folder}/version)"; exit 0; fi
echo built >>{folder}/builds
echo "$@" >{folder}/arguments
while [ "$1" != --Mdir ]; do shift; done
{does}
"""
WRITES = """printf '#!/bin/sh\\nshift\\nexec sh "$@"\\n' >"$2/simulator"; chmod +x "$2/simulator" """


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a Verilator and the package of a core; simulators are kept in `kept`."""
    for name in ("bin", "site/lamp_core/rtl", "site/lamp_core-1.2.dist-info"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "site/lamp_core-1.2.dist-info/METADATA").write_text("Name: lamp-core\nVersion: 1.2\n")
    for name in ("lamp.sv", "bulb.sv", "lamp.svh"):
        (tmp_path / "site/lamp_core/rtl" / name).write_text(f"// {name}\n")
    (tmp_path / "lamp.f").write_text("# The core.\n+incdir+rtl\nrtl/lamp.sv\n\nrtl/bulb.sv  # its parts\n")
    (tmp_path / "board.sv").write_text("// around it\n")
    (tmp_path / "version").write_text("5.0\n")
    verilator(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setattr(module, "simulators", lambda: tmp_path / "kept")
    module._version.cache_clear()
    return tmp_path


def verilator(folder: Path, does: str = WRITES) -> None:
    path = folder / "bin" / "verilator"
    path.write_text(VERILATOR.format(folder=folder, does=does))
    path.chmod(0o755)


def lamp(folder: Path) -> Rtl:
    return Rtl("lamp", "lamp-core", "lamp_core", folder / "lamp.f", (folder / "board.sv",), {"WATTS": "5"})


def builds(folder: Path) -> int:
    path = folder / "builds"
    return len(path.read_text().splitlines()) if path.is_file() else 0


def test_a_simulator_is_built_once(folder: Path) -> None:
    said: list[str] = []
    made = simulator(lamp(folder), {}, said.append)
    assert simulator(lamp(folder), {}, said.append) == made
    assert said == ["building the simulator of lamp, once"]
    assert builds(folder) == 1
    assert made.parent == folder / "kept"
    assert os.access(made, os.X_OK)
    assert sorted(path.name for path in made.parent.iterdir()) == [".lamp.lock", made.name]


def test_the_core_is_read_in_the_order_of_its_list(folder: Path) -> None:
    simulator(lamp(folder), {})
    core = folder / "site" / "lamp_core" / "rtl"
    words = (folder / "arguments").read_text().split()
    assert words[-3:] == [str(core / "lamp.sv"), str(core / "bulb.sv"), str(folder / "board.sv")]
    assert {f"+incdir+{core}", "+define+WATTS=5"} < set(words)
    assert find_sources(lamp(folder)).include_dirs == (core,)


def test_whatever_a_simulator_is_made_of_is_in_its_key(folder: Path) -> None:
    found = {simulator_key(lamp(folder))}
    assert simulator_key(lamp(folder)) in found
    found.add(simulator_key(replace(lamp(folder), defines={"WATTS": "6"})))
    for name in ("board.sv", "site/lamp_core/rtl/bulb.sv", "site/lamp_core/rtl/lamp.svh"):
        (folder / name).write_text("// edited\n")
        found.add(simulator_key(lamp(folder)))
    (folder / "version").write_text("6.0\n")
    module._version.cache_clear()
    found.add(simulator_key(lamp(folder)))
    assert len(found) == 6


def test_what_is_missing_comes_with_what_to_type(folder: Path) -> None:
    with pytest.raises(TargetError, match=r"verilator-6 not found: install it with 'sudo apt-get install verilator'"):
        simulator(lamp(folder), {"verilator-6": "verilator"})
    with pytest.raises(TargetError, match=r"^lamp needs the package no-core: type pip install 'dimmer-nn\[rtl\]'$"):
        simulator(replace(lamp(folder), package="no-core"), {})
    with pytest.raises(TargetError, match=r"^lamp-core 1\.2 has no no_folder: type pip install 'dimmer-nn\[rtl\]'$"):
        package_folder("lamp", "lamp-core", "no_folder")
    (folder / "site/lamp_core/rtl/bulb.sv").unlink()
    with pytest.raises(TargetError, match=r"^lamp-core 1\.2 has no rtl/bulb\.sv: type pip install"):
        simulator(lamp(folder), {})
    assert builds(folder) == 0


@pytest.mark.parametrize(
    ("does", "message"),
    [
        ("echo '%Warning: dim' >&2; echo '%Error: a.sv:3: syntax error' >&2; exit 1", r"lamp: %Error: a\.sv:3: syntax"),
        ("echo 'a.cpp:1: error: no lamp'; echo 'make: *** [a.o] Error 1' >&2; exit 2", r"a\.cpp:1: error: no lamp"),
        ("exit 1", "lamp: ended with status 1"),
        ("exit 0", "lamp: ended with status 0"),
        ("kill -9 $$", "lamp: was killed by SIGKILL"),
    ],
)
def test_a_core_that_does_not_compile_is_one_line(folder: Path, does: str, message: str) -> None:
    verilator(folder, does)
    with pytest.raises(TargetError, match=rf"^verilator cannot build .*{message}") as caught:
        simulator(lamp(folder), {})
    assert "\n" not in str(caught.value)
    assert [path.name for path in (folder / "kept").iterdir()] == [".lamp.lock"]
    verilator(folder)
    assert simulator(lamp(folder), {}).is_file()


def test_a_verilator_that_nobody_asked_for_is_missed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target of a user's own may name no packages."""
    monkeypatch.setenv("PATH", str(folder / "site"))
    with pytest.raises(TargetError, match=r"verilator cannot be run: .*No such file"):
        simulator(lamp(folder), {})


def test_a_build_that_does_not_end_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BUILD_S", 0.2)
    verilator(folder, "exec sleep 60")
    with pytest.raises(TargetError, match=r"the simulator of lamp was not built within 0\.2 s"):
        simulator(lamp(folder), {})


def test_a_folder_that_cannot_be_written_is_one_line(folder: Path) -> None:
    (folder / "kept").write_text("a file")
    with pytest.raises(TargetError, match=r"the simulator of lamp cannot be written to .*kept .*DIMMER_BUILD"):
        simulator(lamp(folder), {})


def test_two_that_want_it_at_the_same_time_build_it_once(folder: Path) -> None:
    verilator(folder, f"sleep 0.2; {WRITES}")
    with ThreadPoolExecutor(2) as pool:
        made = set(pool.map(lambda _: simulator(lamp(folder), {}), range(2)))
    assert len(made) == builds(folder) == 1


def test_a_build_that_is_killed_leaves_nothing_that_is_taken_for_a_simulator(folder: Path) -> None:
    verilator(folder, f"{WRITES}; touch {folder}/begun; exec sleep 60")
    script = (
        "import sys; from pathlib import Path; from dimmer.targets.runners import rtl\n"
        "folder = Path(sys.argv[1])\n"
        "rtl.simulators = lambda: folder / 'kept'\n"
        "lamp = rtl.Rtl('lamp', 'lamp-core', 'lamp_core', folder / 'lamp.f', (folder / 'board.sv',), {'WATTS': '5'})\n"
        "rtl.simulator(lamp, {})\n"
    )
    path = os.pathsep.join([str(folder / "site"), os.environ.get("PYTHONPATH", "")])
    killed = subprocess.Popen([sys.executable, "-c", script, folder], env={**os.environ, "PYTHONPATH": path})
    while not (folder / "begun").is_file():
        assert killed.poll() is None
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert [each.name for each in (folder / "kept").iterdir()] == [".lamp.lock"]
    # One that was killed while it copied.
    left = folder / "kept" / ".lamp-0123.new"
    left.write_text("half")
    verilator(folder)
    made = simulator(lamp(folder), {})
    assert made.name == f"lamp-{simulator_key(lamp(folder))}"
    assert not left.exists()


def runner(folder: Path, timeout_s: float = 5.0) -> Runner:
    return Runner(("{simulator}", "-m", "{elf}", "{arguments}"), (), timeout_s, {}, rtl=lamp(folder))


def script(folder: Path, text: str) -> Path:
    path = folder / "firmware.elf"
    path.write_text(text)
    return path


def test_a_firmware_runs_on_it_and_counts(folder: Path) -> None:
    elf = script(folder, 'printf "%s\\n" "$@"')
    done = run_firmware(runner(folder), elf, ["bench"], folder, count=True)
    assert done.stdout.split() == ["bench", "--count"]
    assert runner(folder).counts


def test_words_with_spaces_do_not_fit_through_semihosting(folder: Path) -> None:
    with pytest.raises(TargetError, match=r"'my file' cannot be passed to a board: use names without spaces"):
        run_firmware(runner(folder), script(folder, ""), ["verify", "my file"], folder, count=False)


def test_a_simulation_that_does_not_end_is_ended(folder: Path) -> None:
    simulator(lamp(folder), {})
    with pytest.raises(TargetError, match=r"firmware\.elf bench did not end within 0\.3 s"):
        run_firmware(runner(folder, 0.3), script(folder, "exec sleep 60"), ["bench"], folder, count=True)


def test_what_a_testbench_says_at_its_end_is_told(folder: Path) -> None:
    for status, ended in ((3, "with status 3"), (70, "in a fault handler")):
        elf = script(folder, f"echo no lamp at 0x00000003 >&2; exit {status}")
        with pytest.raises(TargetError, match=rf"^firmware\.elf bench ended {ended}: no lamp at 0x00000003$"):
            run_firmware(runner(folder), elf, ["bench"], folder, count=False)
