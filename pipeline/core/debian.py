# SPDX-License-Identifier: Apache-2.0
"""Debian packages: compilers and emulators that pip cannot bring."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.guard import TOKENS

# Debian splits clang's sanitizers from clang, into a folder whose name holds the version.
_CLANG_SANITIZERS = "clang's sanitizers"

# What a target or a test may ask for. A name with a slash is a file: Debian splits the C library's headers from its
# compilers, and no program tells whether they are there.
PACKAGES: Mapping[str, str] = {
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "/usr/lib/arm-none-eabi/newlib/libc.a": "libnewlib-arm-none-eabi",
    "qemu-system-arm": "qemu-system-arm",
    "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf",
    "/usr/lib/picolibc/riscv64-unknown-elf/lib/libc.a": "picolibc-riscv64-unknown-elf",
    "qemu-system-riscv32": "qemu-system-misc",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
    "/usr/aarch64-linux-gnu/lib/crti.o": "libc6-dev-arm64-cross",
    # TVM's runtime is C++: its library is needed to run it here, a C++ compiler is not.
    "/usr/aarch64-linux-gnu/lib/libstdc++.so.6": "libstdc++6-arm64-cross",
    "qemu-aarch64": "qemu-user",
    "verilator": "verilator",
    "make": "make",
    "g++": "g++",
    "gcc": "gcc",
    "clang": "clang",
    _CLANG_SANITIZERS: "libclang-rt-dev",
    "cppcheck": "cppcheck",
    "ccache": "ccache",
    "ssh": "openssh-client",
    "/usr/sbin/sshd": "openssh-server",
}

# What the sessions of nox need.
TOOLS_FOR: Mapping[str, tuple[str, ...]] = {
    "lint": ("cppcheck",),
    "tests": (
        # For the emulated boards; with ccache the runtime is compiled once for each core, and not for each test.
        *("ccache", "arm-none-eabi-gcc", "qemu-system-arm", "riscv64-unknown-elf-gcc", "qemu-system-riscv32"),
        # For Linux boards: a cross compiler and an emulator, and an ssh server to install on.
        *("aarch64-linux-gnu-gcc", "qemu-aarch64", "ssh", "/usr/sbin/sshd"),
        # For cores that are simulated from their RTL.
        *("verilator", "g++", "make"),
        *("gcc", "clang"),
    ),
}

_SLOW_NETWORK_S = 1800


def missing_tools(tools: Mapping[str, str]) -> dict[str, str]:
    """The entries of ``tools`` (command or absolute path of a file -> Debian package) that are not here."""
    return {tool: package for tool, package in tools.items() if not _is_here(tool)}


def require_tools(tools: Mapping[str, str]) -> None:
    """Make sure that commands are on PATH, installing their Debian packages where that needs no password.

    Args:
        tools: command, or absolute path of a file, -> the Debian package that holds it.

    Raises:
        DimmerError: something is missing and cannot be installed from here; the message holds the line to type.
    """
    missing = missing_tools(tools)
    if not missing:
        return
    packages = sorted(set(missing.values()))
    names = ", ".join(sorted(missing))
    line = f"sudo apt-get install -y --no-install-recommends {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        raise DimmerError(
            f"{names} not found and there is no apt-get here: install what Debian calls {' '.join(packages)}"
        )
    prefix = _root_prefix()
    if prefix is None or os.environ.get("DIMMER_OFFLINE") == "1":
        raise DimmerError(f"{names} not found: type '{line}'")

    print(f"installing Debian packages: {' '.join(packages)}", file=sys.stderr, flush=True)
    # Out-of-date lists make the install fail on a fresh machine; without a network both fail and the message says so.
    _apt(prefix, ["update"])
    output = _apt(prefix, ["install", "-y", "--no-install-recommends", *packages])
    still_missing = missing_tools(missing)
    if still_missing:
        last = output.strip().splitlines()[-1] if output.strip() else "apt-get said nothing"
        raise DimmerError(
            f"{', '.join(sorted(still_missing))} not found after apt-get install: type '{line}' and see why ({last})"
        )


def named_tools(names: Sequence[str]) -> dict[str, str]:
    """The part of PACKAGES with these names, with the libraries that a compiler needs.

    Raises:
        DimmerError: a name that PACKAGES does not hold.
    """
    needs = {
        "arm-none-eabi-gcc": ["/usr/lib/arm-none-eabi/newlib/libc.a"],
        "riscv64-unknown-elf-gcc": ["/usr/lib/picolibc/riscv64-unknown-elf/lib/libc.a"],
        "aarch64-linux-gnu-gcc": ["/usr/aarch64-linux-gnu/lib/crti.o", "/usr/aarch64-linux-gnu/lib/libstdc++.so.6"],
        "clang": [_CLANG_SANITIZERS],
    }
    tools: dict[str, str] = {}
    for name in names:
        if name not in PACKAGES:
            raise DimmerError(f"no Debian package known for '{name}'; known are {', '.join(sorted(PACKAGES))}")
        for tool in (name, *needs.get(name, ())):
            tools[tool] = PACKAGES[tool]
    return tools


def _is_here(tool: str) -> bool:
    if tool == _CLANG_SANITIZERS:
        return _clang_has_sanitizers()
    return Path(tool).exists() if tool.startswith("/") else shutil.which(tool) is not None


def _clang_has_sanitizers() -> bool:
    if shutil.which("clang") is None:
        return False
    library = f"libclang_rt.asan-{platform.machine()}.a"
    asked = children.run(["clang", f"-print-file-name={library}"])
    # clang answers with the bare name where it has no such file.
    return Path(asked.stdout.strip()).is_file()


def _root_prefix() -> list[str] | None:
    """What to write before a command so that root runs it without a password; None if that is not to be had."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    asked = children.run(["sudo", "-n", "true"])
    return ["sudo", "-n"] if asked.returncode == 0 else None


def _apt(prefix: Sequence[str], arguments: Sequence[str]) -> str:
    """Not one of `dimmer.children`: an apt-get that is killed leaves the machine's packages half installed."""
    command = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    try:
        done = subprocess.run(
            [*command, *arguments],
            env={name: value for name, value in os.environ.items() if name != TOKENS},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SLOW_NETWORK_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"apt-get {arguments[0]} took more than {_SLOW_NETWORK_S // 60} minutes"
    return done.stdout
