# SPDX-License-Identifier: Apache-2.0
"""The plugin that counts blocks: compiled without a warning, kept, and refused with a reason where it cannot run."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.targets import load_target
from dimmer.targets.runners.command import Runner
from dimmer.targets.timing import trace
from dimmer.targets.timing.errors import NotModelledError
from dimmer.targets.timing.trace import PLUGIN, Block, Edge, parse, plugin_for

STRICT = "-std=c99 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wcast-align -Wundef -Werror -fsyntax-only"


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_plugin_compiles_without_a_warning(compiler: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    subprocess.run([compiler, *STRICT.split(), PLUGIN], check=True)


def test_what_the_plugin_writes_is_read() -> None:
    text = "S\nB 100 108 10a 5 10 2\nE 100 9\nE 10a 1\nS\nB 10a 10a 10c 1 1 0\n"
    first = Block(0x100, 0x108, 0x10A, 5, 10, 2, [Edge(0x100, 9), Edge(0x10A, 1)])
    assert parse(text) == ((first,), (Block(0x10A, 0x10A, 0x10C, 1, 1, 0),))


@pytest.mark.parametrize("text", ["B 1 2 3 4 5 6", "S\nE 1 2", "S\nB 1 2", "S\nX", "S\nB 1 2 3 4 5 x", "S\n\n"])
def test_damaged_counts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


def runner(command: str) -> Runner:
    return replace(load_target("mps2-an386").runner, command=(command, "{elf}"))


def test_an_emulator_without_blocks_to_count_is_a_reason() -> None:
    with pytest.raises(NotModelledError, match="renode is no emulator whose blocks can be counted"):
        plugin_for(runner("renode"))


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for QEMU, with plugins."""
    trace._emulator_version.cache_clear()
    monkeypatch.setenv("DIMMER_CACHE", str(tmp_path / "cache"))
    return script(tmp_path / "qemu-system-arm", "-plugin [file=]<file>")


def script(path: Path, options: str) -> Path:
    path.write_text(f'#!/bin/sh\n[ "$1" = --help ] && echo "{options}" || echo "QEMU emulator version 9.2"\n')
    path.chmod(0o755)
    return path


def test_an_emulator_without_plugins_is_a_reason(emulator: Path) -> None:
    script(emulator, "-device")
    with pytest.raises(NotModelledError, match="qemu-system-arm is built without plugins"):
        plugin_for(runner(str(emulator)))
    emulator.unlink()
    with pytest.raises(NotModelledError, match="qemu-system-arm cannot be run"):
        plugin_for(runner(str(emulator)))


def test_a_machine_without_a_compiler_is_a_reason(emulator: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "COMPILERS", ("no-such-compiler",))
    with pytest.raises(NotModelledError, match="install one of no-such-compiler"):
        plugin_for(runner(str(emulator)))
    monkeypatch.setattr(trace, "COMPILERS", ("false",))
    with pytest.raises(NotModelledError, match="QEMU's plugin cannot be compiled"):
        plugin_for(runner(str(emulator)))


def test_a_user_without_a_home_is_a_reason(emulator: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(number: int) -> None:
        raise KeyError(number)

    for name in ("HOME", "DIMMER_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    with pytest.raises(NotModelledError, match=r"no place to be kept: this user has no home folder.* DIMMER_CACHE"):
        plugin_for(runner(str(emulator)))


def test_the_plugin_is_compiled_once_for_an_emulator(emulator: Path) -> None:
    if trace.host_compiler() is None:
        pytest.skip("no compiler is installed")
    first = plugin_for(runner(str(emulator)))
    written = first.stat().st_mtime_ns
    assert plugin_for(runner(str(emulator))) == first
    assert first.stat().st_mtime_ns == written
    trace._emulator_version.cache_clear()
    emulator.write_text(emulator.read_text().replace("9.2", "7.2"))
    assert plugin_for(runner(str(emulator))) != first
